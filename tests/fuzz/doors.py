"""What listens: each gRPC service through its server, and the page's HTTP through its application."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError
from prometheus_client import CollectorRegistry

from services.embed.core.templates import Refused
from services.embed.edges.grpc_enrolment import EnrolmentServer
from services.embed.metrics import EnrolmentMetrics
from services.oversight.core.clerk import Clerk, Decision, Now
from services.oversight.core.commands import Command
from services.oversight.core.register import Register
from services.oversight.edges.grpc_oversight import OversightServer
from services.review.core.people import Role
from services.review.edges.grpc_review import ReviewServer
from services.review.metrics import ReviewMetrics
from services.review.web.cookies import proof_of
from signpost.v1 import enrolment_pb2, oversight_pb2, review_pb2
from tests.fakes.casework import FakeCaseWork, FakeSessions, a_person
from tests.fakes.clock import ManualClock
from tests.fuzz.media import jpeg, photographs
from tests.fuzz.surface import Surface
from tests.unit.contracts.authorisation import builders as signed
from tests.unit.oversight.desk import Desk
from tests.unit.review.web.page import ANN, Page, _call, a_page

T = TypeVar("T")
LOOPBACK = "127.0.0.1"
# Above what any of these answers takes on a busy machine, below what counts as a stop.
_ANSWER_S = 15.0
# By these a server says that it failed; by every other that the request did.
_FAILED = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED)


class ServerFailed(Exception):
    """A server answered that it failed."""


class Caller:
    """Raw bytes to the methods of one service: the first byte says which."""

    def __init__(self, descriptor: Any, port: int, metadata: tuple[tuple[str, str], ...] = ()) -> None:
        self._methods = list(descriptor.methods)
        self._metadata = metadata
        self._channel = grpc.insecure_channel(f"{LOOPBACK}:{port}")
        self._calls = [self._made(descriptor.full_name, method) for method in self._methods]

    def call(self, raw: bytes) -> bool:
        """Whether it was answered with other than a refusal. Raises ServerFailed."""
        place = raw[0] % len(self._methods) if raw else 0
        body = raw[1:]
        try:
            self._calls[place](body)
        except grpc.RpcError as refused:
            if refused.code() in _FAILED and _is_one(self._methods[place], body):
                raise ServerFailed(f"{self._methods[place].name}: {refused.code()}") from refused
            return False
        return True

    def close(self) -> None:
        self._channel.close()

    def _made(self, service: str, method: Any) -> Callable[[bytes], object]:
        path, same = f"/{service}/{method.name}", lambda raw: raw
        if not method.server_streaming:
            unary = self._channel.unary_unary(path, request_serializer=same, response_deserializer=same)
            return lambda body: unary(body, timeout=_ANSWER_S, metadata=self._metadata)
        stream = self._channel.unary_stream(path, request_serializer=same, response_deserializer=same)

        def first(body: bytes) -> object:
            answers = stream(body, timeout=_ANSWER_S, metadata=self._metadata)
            try:
                return next(answers, None)
            finally:
                answers.cancel()

        return first


def _is_one(method: Any, body: bytes) -> bool:
    """Whether the bytes are a request at all: gRPC itself refuses others, before anything of ours."""
    from google.protobuf import message_factory

    try:
        message_factory.GetMessageClass(method.input_type).FromString(body)
    except DecodeError:
        return False
    return True


class Review:
    """The reviewers' service, on cases in memory."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="signpost-fuzz-review")
        self._thread.start()
        clock = ManualClock()
        casework = FakeCaseWork(clock)
        casework.open("case-1", pictures={})
        sessions = FakeSessions(clock, a_person("ann"), a_person("sue", Role.SUPERVISOR, Role.REVIEWER))
        token = sessions.session("sue")
        metrics = ReviewMetrics(CollectorRegistry())
        self._server = self._run(_review_server(casework, sessions, metrics))
        descriptor = review_pb2.DESCRIPTOR.services_by_name["Review"]
        self._caller = Caller(descriptor, self._server.port, (("authorization", f"Bearer {token}"),))
        self._who_am_i = bytes([[method.name for method in descriptor.methods].index("WhoAmI")])
        self._sessions, self._token = sessions, token

    def take(self, raw: bytes) -> None:
        self._caller.call(raw)
        # Whoever signs out has done so: the next input is asked by the same person.
        self._sessions.sessions[self._token] = a_person("sue", Role.SUPERVISOR, Role.REVIEWER)

    def goes_on(self) -> bool:
        return self._caller.call(self._who_am_i)

    def close(self) -> None:
        self._caller.close()
        self._run(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


async def _review_server(casework: FakeCaseWork, sessions: FakeSessions, metrics: ReviewMetrics) -> ReviewServer:
    server = ReviewServer(casework, sessions, metrics, host=LOOPBACK, port=0, tls=None)
    await server.start()
    return server


class _Deciding:
    """oversight's desk over a register in memory, deciding as the leader does. gRPC's threads, one at a time."""

    def __init__(self) -> None:
        self._desk = Desk().begun().authorised(signed.a_document())
        self._lock = threading.Lock()

    def ask(self, command: Command, *, within_s: float) -> Decision:
        with self._lock:
            return self._desk.tell(command)

    def register(self) -> Register:
        return self._desk.register

    def now(self) -> Now:
        return self._desk.now


class Oversight:
    """The service at which people hand in what they signed."""

    def __init__(self) -> None:
        clerk = Clerk(signed.key("oversight"))
        self._server = OversightServer(
            _Deciding(), clerk, anchored=lambda chain: (), host=LOOPBACK, port=0, tls=None
        )
        self._server.start()
        descriptor = oversight_pb2.DESCRIPTOR.services_by_name["OversightService"]
        self._caller = Caller(descriptor, self._server.port)
        self._list = bytes([[method.name for method in descriptor.methods].index("List")])

    def take(self, raw: bytes) -> None:
        self._caller.call(raw)

    def goes_on(self) -> bool:
        return self._caller.call(self._list)

    def close(self) -> None:
        self._caller.close()
        self._server.stop(1.0)


class _Nobody:
    """`Enroller` that finds nobody in any picture."""

    model_id = "colours-1"

    def __init__(self) -> None:
        from tests.unit.embed.toys import CARD

        self.card = CARD

    def enrol(self, picture: bytes) -> Refused:
        return Refused("no_face", f"{len(picture)} bytes")


class Enrolment:
    """The service that makes templates of pictures."""

    def __init__(self) -> None:
        metrics = EnrolmentMetrics(CollectorRegistry())
        self._server = EnrolmentServer(_Nobody(), metrics, LOOPBACK, 0, max_bytes=100_000)
        self._server.start()
        descriptor = enrolment_pb2.DESCRIPTOR.services_by_name["Enrolment"]
        self._caller = Caller(descriptor, self._server.port)
        self._good = requests(descriptor)[0]

    def take(self, raw: bytes) -> None:
        self._caller.call(raw)

    def goes_on(self) -> bool:
        return self._caller.call(self._good)

    def close(self) -> None:
        self._caller.close()
        self._server.stop(1.0)


def requests(descriptor: Any) -> list[bytes]:
    """One request of each method with something in every field."""
    from google.protobuf import message_factory

    found = []
    for place, method in enumerate(descriptor.methods):
        message = message_factory.GetMessageClass(method.input_type)()
        _fill(message, descriptor.name)
        found.append(bytes([place]) + message.SerializeToString())
    return found


def _fill(message: Any, service: str) -> None:
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None:
            inner = getattr(message, field.name)
            _fill(inner.add() if field.is_repeated else inner, service)
            continue
        value = _value(field, service)
        if field.is_repeated:
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)


def _value(field: Any, service: str) -> object:
    if field.type == field.TYPE_BYTES:
        return jpeg() if service == "Enrolment" else signed.a_document().canonical_bytes()
    if field.type == field.TYPE_STRING:
        return {"case": "case-1", "user": "ann", "deployment": "oxford-street-1"}.get(field.name, _token())
    if field.type == field.TYPE_ENUM:
        return 1
    return field.type == field.TYPE_BOOL or 1


def _token() -> str:
    return signed.changes_to_active(signed.a_document())[0].token


def _requests_of(proto: Any, name: str) -> Callable[[], Sequence[bytes]]:
    return lambda: requests(proto.DESCRIPTOR.services_by_name[name])


class Web:
    """The reviewers' page: a request as `METHOD path`, header lines, an empty line, the body."""

    def __init__(self) -> None:
        self._page: Page = a_page()
        self._session = self._page.sessions.session("ann")

    def take(self, raw: bytes) -> None:
        head, _, body = raw.partition(b"\n\n")
        first, *lines = head.split(b"\n")
        method, _, path = first.decode("latin-1").partition(" ")
        headers = dict(_header(line) for line in lines if b":" in line)
        headers.setdefault("cookie", f"signpost-session={self._session}")
        headers.setdefault("x-signpost-token", proof_of(self._session))
        answer = asyncio.run(_call(self._page.app, method or "GET", "/" + path.lstrip("/"), headers, body))
        if answer.status >= 500:
            raise ServerFailed(f"{method} {answer.status}")

    def goes_on(self) -> bool:
        self._page.sessions.sessions[self._session] = ANN
        return self._page.get("/api/me", session=self._session).status == 200

    def close(self) -> None:
        """Nothing is held."""


def _header(line: bytes) -> tuple[str, str]:
    name, _, value = line.partition(b":")
    return name.decode("ascii", "ignore").strip(), value.decode("ascii", "ignore").strip()


def _web() -> tuple[bytes, ...]:
    moves = (b"claim", b"renew", b"release", b"view", b"judgement", b"supersede", b"engagement", b"outcome")
    said = b'{"fence": 1, "judgement": "match", "features": ["ears"], "displayed_digest": "x", "reason": "r",'
    said += b' "towards": "no_action", "result": "stopped", "outcome": "right"}'
    form = b"content-type: application/x-www-form-urlencoded"
    return (
        b"GET /api/me\naccept: */*\n\n",
        b"GET /api/queue\n\n",
        b"GET /api/pictures/abc\n\n",
        b"GET /static/css/base.css\n\n",
        b"GET /\n\n",
        b"POST /sign-in\n" + form + b"\n\nuser=ann&password=correct+horse",
        b"POST /sign-in\n" + form + b"\n\n" + b"&user=ann" * 9,
        b"POST /api/sign-out\n\n{}",
        *(b"POST /api/cases/case-1/%s\n\n%s" % (move, said) for move in moves),
    )


SURFACES: Sequence[Surface] = (
    Surface("grpc review", Review, (), _requests_of(review_pb2, "Review"), heavy=True),
    Surface("grpc oversight", Oversight, (), _requests_of(oversight_pb2, "OversightService"), heavy=True),
    Surface("grpc enrolment", Enrolment, (), _requests_of(enrolment_pb2, "Enrolment"), photographs, heavy=True),
    Surface(
        "page http", Web, (), _web, tuple, (b"%2e%2e/", b"\r\n", b"Content-Length: 9", b"?a=b&a=c"), heavy=True
    ),
)
