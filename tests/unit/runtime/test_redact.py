"""What no text of ours may show is taken out, wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from pydantic import SecretStr

from services.runtime import redact


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://operator:sesame@10.0.0.7:554/ch1",
        "rtsp://operator:ses@me@10.0.0.7/ch1",
        "rtsp://operator:ses/sesame@10.0.0.7/ch1",
        "rtsp://operator:it's-sesame@10.0.0.7/ch1",
        "redis://:sesame@cache:6379/0",
        "http://10.0.0.7/snapshot?user=operator&password=sesame",
        "rtsp://10.0.0.7:554/user=operator_password=sesame",
        "http://10.0.0.7/?PWD=sesame",
    ],
)
def test_an_address_loses_its_password_but_not_its_host(address: str) -> None:
    shown = redact.text(f"cannot open {address} (refused)")
    assert "sesame" not in shown
    assert "10.0.0.7" in shown or "cache:6379" in shown


def test_a_text_without_secrets_stays_as_it_is() -> None:
    assert redact.text("gate-1 lost after 3 tries (host 10.0.0.7:554)") == (
        "gate-1 lost after 3 tries (host 10.0.0.7:554)"
    )


def test_contents_that_slip_into_a_text_as_a_repr_are_taken_out() -> None:
    shown = redact.text(f"bad picture {b'0123456789abcdef'!r} and vector {np.zeros(3)!r} here")
    assert shown == "bad picture <bytes> and vector <array> here"


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        (b"picture", "<7 bytes>"),
        (bytearray(3), "<3 bytes>"),
        (memoryview(b"12345"), "<5 bytes>"),
        (np.zeros((2, 4), np.float32), "<32 bytes>"),
        (np.float32(0.5), 0.5),
        (SecretStr("sesame"), "***"),
        ({"vectors": [np.zeros(2, np.uint8)], "n": 2}, {"vectors": ["<2 bytes>"], "n": 2}),
        (float("nan"), "nan"),
        (ValueError("rtsp://a:b@host"), "rtsp://host"),
    ],
)
def test_a_field_shows_how_large_it_is_and_not_what_is_in_it(field: object, shown: object) -> None:
    assert redact.value(field) == shown


def test_an_object_of_an_unknown_type_shows_its_type_only() -> None:
    @dataclass
    class Passport:
        number: str

    assert redact.value(Passport("C01X00T47")) == "<Passport>"
