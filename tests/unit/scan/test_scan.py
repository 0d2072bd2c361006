"""A scanner that finds nothing proves something only if it finds what is there."""

from __future__ import annotations

import base64
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from services.contracts import codec
from services.contracts.codec import Sealing
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.derive import derive
from signpost.v1 import face_pb2
from tests.builders import a_face, a_vector
from tests.reliability.scan import keys_seen
from tests.reliability.scan.needles import Needle, Search, forms, of_picture, of_vector
from tests.reliability.scan.places import Place, below
from tests.reliability.scan.records import Record, of_segments, opened

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
VECTOR = a_vector(seed=3)
PICTURE = b"\xff\xd8" + np.random.default_rng(1).bytes(4000)


def forms_in(haystack: bytes, needles: Iterator[Needle]) -> set[str]:
    return {needle.form for needle in Search(needles).through([haystack])}


@pytest.mark.parametrize(
    ("form", "haystack"),
    [
        ("float32", VECTOR.tobytes()),
        ("float64", VECTOR.astype(np.float64).tobytes()),
        ("float16", VECTOR.astype(np.float16).tobytes()),
        ("float32", face_pb2.FaceSecret(vector=VECTOR.tobytes()).SerializeToString()),
        ("float32, hex", VECTOR.tobytes().hex().encode()),
    ],
)
@pytest.mark.parametrize("before", range(5))
def test_a_template_is_found_in_every_form_at_every_place(form: str, haystack: bytes, before: int) -> None:
    noise = np.random.default_rng(before).bytes(1000)
    assert form in forms_in(noise[:before] + haystack + noise, of_vector("x", VECTOR))
    assert not forms_in(noise, of_vector("x", VECTOR))


@pytest.mark.parametrize("shift", range(3))
def test_base64_is_found_however_it_is_aligned(shift: int) -> None:
    text = base64.b64encode(bytes(shift) + PICTURE)
    assert forms_in(text, of_picture("x", PICTURE)) == {"jpeg, base64"}


def test_what_lies_across_two_chunks_is_found() -> None:
    whole = bytes(100) + KEY + bytes(100)
    for cut in range(len(whole)):
        found = list(Search(forms("a key", KEY)).through([whole[:cut], whole[cut:]]))
        assert found, f"lost at a cut after {cut}"


def test_a_picture_that_was_cut_in_half_is_found() -> None:
    assert forms_in(PICTURE[len(PICTURE) // 2 :], of_picture("x", PICTURE)) == {"jpeg"}


def sealed(topic: str = "faces") -> bytes:
    return codec.encode_sealed(a_face(), topic=topic, sealing=Sealing("d/face/1", KEY, AesGcm()))


def test_a_record_opens_with_its_key_and_with_no_other() -> None:
    records = [Record("here", "faces", sealed()), Record("there", "faces", b"nothing")]
    assert list(opened(records, {"a": OTHER, "b": KEY})) == records[:1]
    assert not list(opened(records, {"a": OTHER}))
    assert not list(opened([Record("moved", "alerts", sealed())], {"b": KEY})), "bound to its topic"


def test_records_are_read_from_segment_files(tmp_path: Path) -> None:
    folder = tmp_path / "node-1" / "data" / "frames.dead-0"
    folder.mkdir(parents=True)
    values = [b"first", b"x" * 300, b"last"]
    (folder / f"{0:020d}.log").write_bytes(
        batch(values[:2]) + batch([b"a marker"], control=True) + batch(values[2:])
    )
    found = list(of_segments(tmp_path, place="segments"))
    assert [record.value for record in found] == values
    assert {record.name for record in found} == {"frames.dead"}


def test_a_compressed_segment_is_no_empty_one(tmp_path: Path) -> None:
    folder = tmp_path / "faces-0"
    folder.mkdir()
    (folder / f"{0:020d}.log").write_bytes(batch([b"x"], attributes=4))
    with pytest.raises(ValueError, match="compressed"):
        list(of_segments(tmp_path, place="segments"))


def test_the_memory_of_a_live_process_is_searched() -> None:
    program = "import sys, time; held = sys.stdin.buffer.read(); print(end='.', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        secret = os.urandom(64)
        child.stdin.write(secret)
        child.stdin.close()
        assert child.stdout.read(1) == b"."
        place = Place("memory", pids=[child.pid])
        search = Search(forms("a secret", secret))
        found = {needle.form for _, stream in place.streams() for needle in search.through(stream)}
        child.kill()
    assert "raw" in found
    assert place.bytes_read > 1_000_000


def test_files_below_a_folder_are_searched_but_for_what_is_left_out(tmp_path: Path) -> None:
    for name in ("a/one", "a/b/two", "c/three"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(KEY)
    assert [path.name for path in below(tmp_path, but=[tmp_path / "c"])] == ["two", "one"]
    assert below(tmp_path / "nowhere") == []


def test_a_frames_key_follows_from_its_two_parts() -> None:
    parts = {"d/epoch/7": KEY, "d/deployment": OTHER, "d/face/1": KEY}
    assert keys_seen._of_frames(parts) == {"d/frame/7": derive(KEY, OTHER, info="d/frame/7")}


def batch(values: list[bytes], *, control: bool = False, attributes: int = 0) -> bytes:
    """A record batch as a broker writes it."""
    records = b"".join(
        length_first(b"\0" + b"\0\0" + varint(-1) + length_first(value) + b"\0") for value in values
    )
    body = struct.pack(
        ">ibIhiqqqhii", 0, 2, 0, attributes | (0x20 if control else 0), 0, 0, 0, -1, -1, -1, len(values)
    )
    return struct.pack(">qi", 0, len(body) + len(records)) + body + records


def length_first(content: bytes) -> bytes:
    return varint(len(content)) + content


def varint(number: int) -> bytes:
    value = (number << 1) ^ (number >> 63)
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
