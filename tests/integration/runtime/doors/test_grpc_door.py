"""A gRPC server that strangers hold connections and calls of, and a client that is answered all the same."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]

from services.runtime.doors import reception
from services.runtime.doors.grpc_server import GrpcServer, Manners
from services.runtime.doors.grpc_thread import GrpcThread
from services.runtime.doors.house import WITHIN_S, Waits
from tests.conftest import ExpectedErrors
from tests.integration.runtime.doors.crowd import (
    ANSWERED_WITHIN_S,
    PREFACE,
    closed_of,
    crowd,
    is_closed,
    unread_calls,
)
from tests.support import eventually

SERVICE = "sample.Sample"
BIG = b"x" * 60_000


class Sample:
    """A service of a few calls that need no generated code."""

    def __init__(self) -> None:
        self.never = threading.Event()
        self.streaming = 0
        self.slow = 0
        self.echoed = 0
        self.slow_before_echo = 0
        self.refused = 0

    def add(self, server: grpc.aio.Server) -> None:
        handlers: dict[str, Any] = {
            "Echo": grpc.unary_unary_rpc_method_handler(self.echo),
            "Slow": grpc.unary_unary_rpc_method_handler(self.stalled),
            "Refuse": grpc.unary_unary_rpc_method_handler(self.refuses_late),
            "Break": grpc.unary_unary_rpc_method_handler(self.broken),
            "Flow": grpc.unary_stream_rpc_method_handler(self.flow),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    async def echo(self, request: bytes, context: Any) -> bytes:
        self.slow_before_echo = self.slow
        self.echoed += 1
        return reception.calling_peer().encode() + b" " + request

    async def stalled(self, request: bytes, context: Any) -> bytes:
        """Works for 50 ms."""
        self.slow += 1
        await asyncio.get_running_loop().run_in_executor(None, self.never.wait, 0.05)
        return b""

    async def refuses_late(self, request: bytes, context: Any) -> bytes:
        """Refuses once who called has left."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            try:
                await context.abort(grpc.StatusCode.NOT_FOUND, "there is none")
            finally:
                self.refused += 1
        return b""

    async def broken(self, request: bytes, context: Any) -> bytes:
        raise ValueError("the words of a bug")

    async def flow(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        self.streaming += 1
        try:
            while True:
                yield BIG
        finally:
            self.streaming -= 1


@contextmanager
def served(sample: Sample, **manners: Any) -> Iterator[int]:
    server = GrpcServer(
        SERVICE, sample.add, Manners(max_request_bytes=65536, **manners), host="127.0.0.1", port=0, tls=None
    )
    thread = GrpcThread(server, threads=1, name="signpost-sample")
    thread.start()
    try:
        yield thread.port
    finally:
        assert thread.stop(1.0)


@contextmanager
def channel_to(port: int) -> Iterator[Any]:
    """Any: grpcio's types want serialisers, and these calls carry bytes."""
    # Else two channels of one process share a connection.
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        yield channel


def echo(port: int, *, within_s: float = ANSWERED_WITHIN_S) -> bytes:
    with channel_to(port) as channel:
        answer: bytes = channel.unary_unary(f"/{SERVICE}/Echo")(b"hello", timeout=within_s)
        return answer


@pytest.mark.parametrize("said", [b"", b"PRI * HT", PREFACE], ids=["silence", "half a preface", "a preface"])
def test_a_client_is_answered_among_connections_that_say_nothing(said: bytes) -> None:
    """gRPC takes any number of connections and lets each wait: the server ran out of files, for everybody."""
    with served(Sample(), connections=40, per_peer=40) as port, crowd(port, 300, said) as strangers:
        assert echo(port) == b"127.0.0.1 hello"
        assert eventually(lambda: closed_of(strangers) >= 260, "strangers made room", within_s=5)


@pytest.mark.parametrize("name", ["with blanks", "\u00e9", "50%", "a" * 100])
def test_a_client_is_answered_whatever_the_folder_for_temporary_files_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """With a blank in TMPDIR no call was answered: UNAVAILABLE, is embed running? It was."""
    (tmp_path / name).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / name))
    with served(Sample()) as port:
        assert echo(port) == b"127.0.0.1 hello"


def test_who_says_nothing_is_shown_out_in_time_even_where_there_is_room() -> None:
    with served(Sample(), within_s=dict(WITHIN_S) | {Waits.HEAD: 0.5}) as port, crowd(port, 1) as (silent,):
        assert is_closed(silent, within_s=5)


def test_calls_whose_message_does_not_come_hold_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen headers without a message held every thread of the blocking server, for good."""
    monkeypatch.setattr(reception, "_MESSAGE_S", 1.0)
    with served(Sample()) as port, channel_to(port) as channel:
        hold = threading.Event()

        def nothing() -> Iterator[bytes]:
            hold.wait(20)
            yield from ()

        calls = [channel.stream_unary(f"/{SERVICE}/Echo").future(nothing()) for _ in range(30)]
        try:
            assert echo(port) == b"127.0.0.1 hello"
            codes = {call.exception(timeout=10).code() for call in calls}
        finally:
            hold.set()
    assert codes == {grpc.StatusCode.DEADLINE_EXCEEDED}


def test_a_stream_that_nobody_reads_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that stops reading kept its stream, and what was written for it, as long as it liked."""
    monkeypatch.setattr(reception, "_TAKEN_S", 0.5)
    sample = Sample()
    with served(sample) as port, channel_to(port) as channel:
        stream = channel.unary_stream(f"/{SERVICE}/Flow")(b"")
        next(stream)  # and no more: the window fills
        eventually(lambda: sample.streaming == 1, "the stream runs", within_s=5)
        eventually(lambda: sample.streaming == 0, "the stream has ended", within_s=10)
        assert echo(port) == b"127.0.0.1 hello"
        stream.cancel()


def test_a_crowd_of_calls_on_one_connection_costs_another_one_call_of_waiting() -> None:
    """Calls were taken as they came: who sent a thousand stood in front of everybody."""
    sample = Sample()
    with served(sample, calls=1) as port, channel_to(port) as channel:
        crowd_of = [channel.unary_unary(f"/{SERVICE}/Slow").future(b"", timeout=20) for _ in range(30)]
        eventually(lambda: sample.slow == 1, "one is worked on", within_s=5)
        assert echo(port, within_s=10) == b"127.0.0.1 hello"
        assert sample.slow_before_echo < 10
        for call in crowd_of:
            call.result(timeout=20)


def test_answers_that_nobody_takes_hold_no_turn_and_end_their_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client without a window let each answer wait: as many calls as are worked on at a time held them all."""
    monkeypatch.setattr(reception, "_TAKEN_S", 1.0)
    sample = Sample()
    said = unread_calls(f"/{SERVICE}/Echo", 20)
    with served(sample, calls=2) as port, crowd(port, 3, said) as strangers:
        eventually(lambda: sample.echoed >= 60, "their calls have been worked on", within_s=5)
        assert echo(port) == b"127.0.0.1 hello"
        assert all(is_closed(one, within_s=10) for one in strangers)


def test_health_is_asked_and_not_listened_to() -> None:
    """Health's own stream never ends, and anybody could hold one."""
    with served(Sample()) as port, channel_to(port) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        asked = health_pb2.HealthCheckRequest(service=SERVICE)
        assert health.Check(asked, timeout=5).status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as refused:
            next(health.Watch(asked, timeout=5))
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_the_words_of_a_bug_stay_here(expected_errors: ExpectedErrors) -> None:
    expected_errors.add("call failed of a bug")
    with served(Sample()) as port, channel_to(port) as channel:
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(f"/{SERVICE}/Break")(b"", timeout=5)
        assert (refused.value.code(), refused.value.details()) == (grpc.StatusCode.INTERNAL, "internal error")


def test_who_has_left_cannot_be_refused_and_that_is_no_bug() -> None:
    """Whose deadline passed while they were refused left an error in the log, for anybody to make."""
    sample = Sample()
    with served(sample) as port, channel_to(port) as channel:
        with pytest.raises(grpc.RpcError) as ended:
            channel.unary_unary(f"/{SERVICE}/Refuse")(b"", timeout=0.3)
        assert ended.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        eventually(lambda: sample.refused, "the refusal", within_s=5)
        assert echo(port) == b"127.0.0.1 hello"


def test_a_call_in_hand_is_finished_when_the_server_stops() -> None:
    sample = Sample()
    began = time.monotonic()
    with served(sample) as port:
        assert echo(port) == b"127.0.0.1 hello"
    assert time.monotonic() - began < 5
