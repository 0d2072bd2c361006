"""Photographs decoded in a process of their own: what ends it has that process and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.contracts.errors import Permanent
from services.embed.edges.photo_process import PhotoProcess
from tests.photographs import FORMS, HEIGHT, WIDTH, is_upright, quarters, saved

MOST = 210_000_000
GOOD = saved(quarters(), "JPEG")
DOOM = "tests.integration.embed.photo_doom"


@pytest.fixture(scope="module")
def photographs() -> Iterator[PhotoProcess]:
    with PhotoProcess(max_pixels=MOST) as found:
        yield found


@pytest.fixture(scope="module")
def doomed() -> Iterator[PhotoProcess]:
    with PhotoProcess(max_pixels=1_000_000, within_s=20.0, module=DOOM) as found:
        yield found


def refused(process: PhotoProcess, picture: bytes) -> Permanent:
    with pytest.raises(Permanent) as raised:
        process.decode_upright(picture, max_pixels=MOST)
    return raised.value


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_decoded_where_no_file_can_be_opened(photographs: PhotoProcess, form: str) -> None:
    pixels = photographs.decode_upright(saved(quarters(), form), max_pixels=MOST)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert is_upright(pixels)


def test_a_refusal_comes_with_its_words(photographs: PhotoProcess) -> None:
    why = refused(photographs, b"%PDF-1.7")
    assert (why.reason, str(why).partition(":")[0]) == ("not_a_picture", "the file is a PDF document")
    with pytest.raises(Permanent, match="MAX_PICTURE_MPX") as raised:
        photographs.decode_upright(GOOD, max_pixels=100)
    assert raised.value.reason == "too_large"


@pytest.mark.parametrize("deed", [b"crash", b"end", b"lie", b"boast", b"stop short"], ids=repr)
def test_a_picture_that_ends_its_decoder_is_refused_and_the_next_is_taken(
    doomed: PhotoProcess, deed: bytes
) -> None:
    """One picture made to crash a library would end enrolment for everybody."""
    why = refused(doomed, deed)
    assert (why.reason, "crashes or does not end" in str(why)) == ("not_a_picture", True)
    assert is_upright(doomed.decode_upright(GOOD, max_pixels=MOST))


def test_a_picture_that_never_ends_is_given_up() -> None:
    with PhotoProcess(max_pixels=1_000_000, within_s=3.0, module=DOOM) as process:
        began_s = time.monotonic()
        assert "does not end" in str(refused(process, b"hang"))
        assert time.monotonic() - began_s < 15


def test_a_picture_that_fills_the_memory_is_too_large(doomed: PhotoProcess) -> None:
    assert refused(doomed, b"fill").reason == "too_large"
    assert is_upright(doomed.decode_upright(GOOD, max_pixels=MOST))


def test_whoever_takes_hold_of_the_decoder_has_no_file_no_socket_and_no_secret(
    doomed: PhotoProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_DURABLE_URL", "redis://secret")
    doomed.close()
    assert str(refused(doomed, b"open")) == "file: Too many open files; socket: Too many open files; secrets: "


def test_the_process_ends_with_whoever_asks_it() -> None:
    process = PhotoProcess(max_pixels=MOST)
    process.decode_upright(GOOD, max_pixels=MOST)
    assert process._child is not None
    pid = process._child.pid
    process.close()
    assert not Path(f"/proc/{pid}").exists()
    assert os.getpid() != pid


def test_nothing_runs_before_the_first_picture_and_after_the_end() -> None:
    with PhotoProcess(max_pixels=MOST) as process:
        assert process._child is None
    assert process._child is None
