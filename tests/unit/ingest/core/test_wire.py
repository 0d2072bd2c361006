"""Readings survive the pipe in whatever pieces it gives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core import wire
from services.ingest.core.order import Kind, ReadOrder, from_line
from services.ingest.core.readings import Ended, Looped, Opening, Parted, Picture, Progress, Reading, Spoilt
from services.ingest.core.reasons import ClockFault, Fault, Flaw

_SECONDS = st.integers(-(10**12), 10**12).map(lambda us: us / 1e6)
_TIMES = st.integers(0, 4 * 10**15).map(lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us))
_COUNTS = st.integers(0, 2**32 - 1)
READINGS: st.SearchStrategy[Reading] = st.one_of(
    st.builds(
        Picture,
        captured_at=_TIMES,
        position_s=_SECONDS,
        read=_COUNTS,
        width_px=_COUNTS,
        height_px=_COUNTS,
        jpeg=st.binary(max_size=300),
    ),
    st.builds(Spoilt, position_s=_SECONDS, read=_COUNTS, flaw=st.sampled_from(Flaw)),
    st.builds(Progress, position_s=_SECONDS, read=_COUNTS, damaged=_COUNTS),
    st.builds(Parted, position_s=_SECONDS, fault=st.sampled_from(ClockFault), times=_COUNTS),
    st.builds(Opening),
    st.builds(Looped),
    st.builds(Ended, fault=st.one_of(st.none(), st.sampled_from(Fault))),
)


@given(readings=st.lists(READINGS, max_size=8), piece=st.integers(1, 97))
def test_what_goes_in_comes_out_whatever_the_pieces(readings: list[Reading], piece: int) -> None:
    content = b"".join(wire.encode(reading) for reading in readings)
    decoder = wire.Decoder()
    found = [
        one for start in range(0, len(content), piece) for one in decoder.feed(content[start : start + piece])
    ]
    assert found == readings


def test_a_reader_gone_mad_does_not_make_us_allocate() -> None:
    with pytest.raises(wire.Garbled):
        wire.Decoder().feed(b"\xff" * 64)


@pytest.mark.parametrize("kind", [7, 255])
def test_an_unknown_kind_is_no_reading(kind: int) -> None:
    with pytest.raises(wire.Garbled):
        wire.Decoder().feed(bytes([kind]) + wire.encode(Looped())[1:])


def test_an_order_arrives_as_given_and_shows_no_address() -> None:
    order = ReadOrder(
        parent=7,
        source=Kind.RTSP,
        address="rtsp://operator:hunter2@camera/1",
        transport="udp",
        rate_fps=5.0,
        max_side_px=1280,
        jpeg_quality=85,
        loop=False,
        start_s=0.0,
        real_time=True,
        timeout_s=8.0,
        max_source_px=40_000_000,
    )
    assert from_line(order.to_line()) == order
    assert "hunter2" not in repr(order)
