"""The gRPC server: who may call what, and the status of each refusal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import grpc
import grpc.aio
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]

from services.contracts.errors import Misconfigured
from services.review.casework import CaseDesk
from services.review.core.people import Person, Role
from services.review.core.roles import ANYBODY, ROLES, Call
from services.review.core.signing_in import OF_ACCOUNT_HERE
from services.review.edges.grpc_review import ReviewServer
from services.review.edges.people_file import PeopleFile
from services.review.sessions import TokenSessions
from services.runtime.grpc_listen import Tls
from services.runtime.passwords import hashed
from services.runtime.redis_client import connect_async
from signpost.v1 import review_pb2, review_pb2_grpc
from tests.conftest import ExpectedErrors
from tests.integration.review.rig import Rig

T = TypeVar("T")
METHODS = {method.name: method for method in review_pb2.DESCRIPTOR.services_by_name["Review"].methods}
PASSWORD = "correct horse"
_HASHED = hashed(PASSWORD)
LOOPBACK = "127.0.0.1"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """One person a role, named like it; ann and ben review too, sam is a script."""
    file = tmp_path / "people.yaml"
    rows = {role.value: [role.value] for role in Role} | {name: ["reviewer"] for name in ("ann", "ben")}
    lines = [
        f"  {user}: {{name: {user}, person: p-{user}, roles: [{', '.join(roles)}], password: {_HASHED}}}"
        for user, roles in rows.items()
    ]
    file.write_text("people:\n" + "\n".join(lines) + "\n")
    return file


@asynccontextmanager
async def served(rig: Rig, people: Path, desk: Any = None) -> AsyncIterator[tuple[Any, ReviewServer]]:
    """A stub on a running server, and the server."""
    client = connect_async(rig.url, client_name="test-sessions")
    sessions = TokenSessions(
        PeopleFile(people), rig.sessions(client), rig.trail, rig.tokens(), rig.clock, session_s=3600
    )
    async with rig.desk() as real:
        work = desk or real
        server = ReviewServer(work, sessions, rig.metrics, host=LOOPBACK, port=0, tls=None)
        await server.start()
        channel = grpc.aio.insecure_channel(f"{LOOPBACK}:{server.port}")
        try:
            yield review_pb2_grpc.ReviewStub(channel), server  # type: ignore[no-untyped-call]
        finally:
            await channel.close()
            await server.stop()
            sessions.close()
            await client.aclose()


async def bearer(stub: Any, user: str) -> Any:
    answer = await stub.SignIn(review_pb2.SignInRequest(user=user, password=PASSWORD))
    return (("authorization", f"Bearer {answer.token}"),)


async def code_of(stub: Any, call: str, metadata: Any) -> grpc.StatusCode:
    """What a call with an empty request ends in."""
    request = getattr(review_pb2, METHODS[call].input_type.name)()
    try:
        if METHODS[call].server_streaming:
            stream = getattr(stub, call)(request, metadata=metadata, timeout=5)
            await stream.initial_metadata()
            stream.cancel()
        else:
            await getattr(stub, call)(request, metadata=metadata, timeout=5)
    except grpc.aio.AioRpcError as refused:
        return refused.code()
    return grpc.StatusCode.OK


async def stream_code(stub: Any, metadata: Any) -> grpc.StatusCode:
    stream = stub.WatchCases(review_pb2.WatchCasesRequest(), metadata=metadata, timeout=1)
    try:
        async for _ in stream:
            return grpc.StatusCode.OK
    except grpc.aio.AioRpcError as refused:
        return refused.code()
    return grpc.StatusCode.OK


def test_every_call_has_its_row_of_roles() -> None:
    assert set(METHODS) == {call.value for call in Call} == {call.value for call in ROLES}
    assert all(ROLES.values())


def test_every_call_is_refused_to_every_role_without_a_row_and_to_nobody_else(rig: Rig, people: Path) -> None:
    async def work() -> Mapping[tuple[str, str], grpc.StatusCode]:
        async with served(rig, people) as (stub, _):
            found = {}
            for role in Role:
                for call in METHODS:
                    metadata = await bearer(stub, role.value)
                    check = stream_code(stub, metadata) if call == "WatchCases" else code_of(stub, call, metadata)
                    found[call, role.value] = await check
            return found

    for (call, role), code in asyncio.run(work()).items():
        may = Role(role) in ROLES[Call(call)]
        refused = code is grpc.StatusCode.PERMISSION_DENIED
        assert refused is not may, f"{call} by a {role} ended in {code}"


def test_nobody_is_let_in_without_a_session_that_lasts(rig: Rig, people: Path) -> None:
    async def work() -> None:
        async with served(rig, people) as (stub, _):
            for call in METHODS:
                if Call(call) in ANYBODY:
                    continue
                for metadata in ((), (("authorization", "Bearer made-up"),), (("authorization", "Basic YTpi"),)):
                    check = stream_code(stub, metadata) if call == "WatchCases" else code_of(stub, call, metadata)
                    assert await check is grpc.StatusCode.UNAUTHENTICATED, call
            left = await bearer(stub, "ann")
            await stub.SignOut(review_pb2.SignOutRequest(), metadata=left)
            assert await code_of(stub, "WhoAmI", left) is grpc.StatusCode.UNAUTHENTICATED

    asyncio.run(work())


def test_a_wrong_password_and_an_unknown_user_look_the_same(rig: Rig, people: Path) -> None:
    async def work() -> list[tuple[grpc.StatusCode, str | None]]:
        ends = []
        async with served(rig, people) as (stub, _):
            for user, password in (("ann", "wrong"), ("nobody", PASSWORD)):
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await stub.SignIn(review_pb2.SignInRequest(user=user, password=password))
                ends.append((refused.value.code(), refused.value.details()))
        return ends

    first, second = asyncio.run(work())
    assert first == second
    assert first[0] is grpc.StatusCode.UNAUTHENTICATED


def test_a_client_that_was_signed_in_is_not_held_up_by_others_guesses(rig: Rig, people: Path) -> None:
    """Over gRPC nobody was known again: who guessed in ann's name from beside her made her wait."""

    async def work() -> tuple[str, str, grpc.StatusCode]:
        right = review_pb2.SignInRequest(user="ann", password=PASSWORD)
        async with served(rig, people) as (stub, _):
            known = (await stub.SignIn(right)).device
            for _ in range(OF_ACCOUNT_HERE.at_once):
                await ends(stub.SignIn(review_pb2.SignInRequest(user="ann", password="guess")))
            elsewhere = await ends(stub.SignIn(right))
            right.device = known
            return known, (await stub.SignIn(right)).token, elsewhere

    known, token, elsewhere = asyncio.run(work())
    assert known
    assert token
    assert elsewhere is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_two_reviewers_decide_over_grpc(rig: Rig, people: Path) -> None:
    case = rig.raise_alert()

    async def judge(stub: Any, user: str) -> Any:
        metadata = await bearer(stub, user)
        claim = await stub.ClaimCase(review_pb2.ClaimCaseRequest(case=case), metadata=metadata)
        ref = review_pb2.ClaimRef(case=case, fence=claim.fence)
        view = await stub.ViewCase(ref, metadata=metadata)
        assert "score" not in view.DESCRIPTOR.fields_by_name
        for one in view.pictures:
            asked = review_pb2.ViewPictureRequest(case=case, fence=claim.fence, name=one.name)
            assert (await stub.ViewPicture(asked, metadata=metadata)).jpeg.startswith(b"\xff\xd8")
        said = review_pb2.JudgeRequest(
            case=case,
            fence=claim.fence,
            judgement="match",
            features=["ears"],
            displayed_digest=view.displayed_digest,
        )
        return await stub.Judge(said, metadata=metadata)

    async def work() -> tuple[Any, Any]:
        async with served(rig, people) as (stub, _):
            return await judge(stub, "ann"), await judge(stub, "ben")

    first, second = asyncio.run(work())
    assert (first.state.state, first.state.outcome, first.HasField("score")) == ("open", "", False)
    assert (second.state.state, second.state.outcome, second.score) == ("agreed_match", "agreed_match", 0.5)


def test_refusals_have_canonical_statuses(rig: Rig, people: Path) -> None:
    case = rig.raise_alert()

    async def work() -> list[grpc.StatusCode]:
        async with served(rig, people) as (stub, _):
            ann, ben, third = [await bearer(stub, user) for user in ("ann", "ben", "reviewer")]
            claim = await stub.ClaimCase(review_pb2.ClaimCaseRequest(case=case), metadata=ann)
            await stub.ClaimCase(review_pb2.ClaimCaseRequest(case=case), metadata=ben)
            ref = review_pb2.ClaimRef(case=case, fence=claim.fence)
            said = review_pb2.JudgeRequest(
                case=case, fence=claim.fence, judgement="cannot_tell", displayed_digest="x"
            )
            odd = review_pb2.JudgeRequest(case=case, fence=claim.fence, judgement="sure")
            nameless = review_pb2.ViewPictureRequest(case=case, fence=claim.fence, name="probe/99")
            return [
                await ends(stub.ClaimCase(review_pb2.ClaimCaseRequest(case="none"), metadata=ann)),
                await ends(stub.ClaimCase(review_pb2.ClaimCaseRequest(case=case), metadata=third)),
                await ends(stub.ViewCase(ref, metadata=ben)),
                await ends(stub.Judge(said, metadata=ann)),
                await ends(stub.Judge(odd, metadata=ann)),
                await ends(stub.ViewPicture(nameless, metadata=ann)),
            ]

    status = grpc.StatusCode
    assert asyncio.run(work()) == [
        status.NOT_FOUND,
        status.ABORTED,
        status.FAILED_PRECONDITION,
        status.ABORTED,
        status.INVALID_ARGUMENT,
        status.NOT_FOUND,
    ]


async def ends(call: Awaitable[Any]) -> grpc.StatusCode:
    try:
        await call
    except grpc.aio.AioRpcError as refused:
        return refused.code()
    return grpc.StatusCode.OK


class Hangs:
    """A desk at which nothing is ever answered, or everything is a bug."""

    def __init__(self, bug: bool = False) -> None:
        self._bug = bug

    async def get_case(self, person: Person, case: str) -> Any:
        if self._bug:
            raise KeyError("a name that must not travel")
        await asyncio.Event().wait()


def test_a_deadline_is_kept(rig: Rig, people: Path) -> None:
    async def work() -> grpc.StatusCode:
        async with served(rig, people, Hangs()) as (stub, _):
            ann = await bearer(stub, "ann")
            return await ends(stub.GetCase(review_pb2.GetCaseRequest(case="a"), metadata=ann, timeout=0.3))

    assert asyncio.run(work()) is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_bug_tells_the_caller_nothing(rig: Rig, people: Path, expected_errors: ExpectedErrors) -> None:
    expected_errors.add("call failed of a bug")

    async def work() -> tuple[grpc.StatusCode, str | None]:
        async with served(rig, people, Hangs(bug=True)) as (stub, _):
            ann = await bearer(stub, "ann")
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.GetCase(review_pb2.GetCaseRequest(case="a"), metadata=ann)
            return refused.value.code(), refused.value.details()

    assert asyncio.run(work()) == (grpc.StatusCode.INTERNAL, "internal error")


def test_a_stream_ends_within_seconds_of_its_session(rig: Rig, people: Path) -> None:
    """Signed out, expired or let go: the queue went on being told over gRPC, for hours."""

    async def work() -> tuple[grpc.StatusCode, float]:
        async with served(rig, people) as (stub, _):
            mine = await bearer(stub, "ann")
            stream = stub.WatchCases(review_pb2.WatchCasesRequest(), metadata=mine, timeout=30)
            await stream.initial_metadata()
            await stub.SignOut(review_pb2.SignOutRequest(), metadata=mine)
            began = time.monotonic()
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                while await stream.read() is not grpc.aio.EOF:
                    pass
            return ended.value.code(), time.monotonic() - began

    code, took_s = asyncio.run(work())
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert took_s < 5


@pytest.mark.parametrize("change", ["another password", "another person"])
def test_a_changed_password_or_person_ends_the_session_and_its_live_queue(
    rig: Rig, people: Path, change: str
) -> None:
    """Who had stolen a password stayed in after it was changed; a user name given on took its sessions along."""
    before = people.read_text()
    mine_before = next(line for line in before.splitlines() if line.startswith("  ann:"))
    mine_after = {
        "another password": mine_before.replace(_HASHED, hashed("another horse")),
        "another person": mine_before.replace("p-ann", "p-anna"),
    }[change]

    async def work() -> tuple[grpc.StatusCode, grpc.StatusCode, grpc.StatusCode, float]:
        async with served(rig, people) as (stub, _):
            mine, bens = await bearer(stub, "ann"), await bearer(stub, "ben")
            stream = stub.WatchCases(review_pb2.WatchCasesRequest(), metadata=mine)
            await stream.initial_metadata()
            people.write_text(before.replace(mine_before, mine_after))
            began = time.monotonic()
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                while await stream.read() is not grpc.aio.EOF:
                    pass
            took_s = time.monotonic() - began
            return (
                ended.value.code(),
                await code_of(stub, "WhoAmI", mine),
                await code_of(stub, "WhoAmI", bens),
                took_s,
            )

    stream, call, bens_call, took_s = asyncio.run(work())
    assert (stream, call) == (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAUTHENTICATED)
    assert bens_call is grpc.StatusCode.OK, "another's session ended too"
    assert took_s < 5


def test_a_session_has_four_streams_and_the_fifth_is_refused(rig: Rig, people: Path) -> None:
    async def work() -> tuple[grpc.StatusCode, grpc.StatusCode]:
        async with served(rig, people) as (stub, _):
            mine, other = await bearer(stub, "ann"), await bearer(stub, "ben")
            held = [stub.WatchCases(review_pb2.WatchCasesRequest(), metadata=mine) for _ in range(4)]
            for one in held:
                await one.initial_metadata()
            codes = await stream_code(stub, mine), await code_of(stub, "WatchCases", other)
            for one in held:
                one.cancel()
            return codes

    fifth, bens = asyncio.run(work())
    assert fifth is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert bens is grpc.StatusCode.OK


def test_health_answers_without_a_sign_in_and_reflection_answers_nobody(rig: Rig, people: Path) -> None:
    """Reflection told anybody who could connect what can be called; nobody who works here needs it."""

    async def work() -> tuple[int, grpc.StatusCode]:
        async with (
            served(rig, people) as (_, server),
            grpc.aio.insecure_channel(f"{LOOPBACK}:{server.port}") as channel,
        ):
            health = health_pb2_grpc.HealthStub(channel)
            answer = await health.Check(health_pb2.HealthCheckRequest(service="signpost.v1.Review"))
            asked: Any = channel.unary_unary("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await asked(b"", timeout=5)
            return answer.status, refused.value.code()

    status, code = asyncio.run(work())
    assert status == health_pb2.HealthCheckResponse.SERVING
    assert code is grpc.StatusCode.UNIMPLEMENTED


def test_plaintext_stays_on_this_machine(rig: Rig, people: Path) -> None:
    async def work() -> None:
        async with rig.desk() as desk:
            with pytest.raises(Misconfigured, match="GRPC_HOST"):
                ReviewServer(desk, None, rig.metrics, host="192.0.2.1", port=0, tls=None)  # type: ignore[arg-type]

    asyncio.run(work())


def test_with_a_client_authority_only_its_clients_are_served(rig: Rig, tmp_path: Path) -> None:
    ours, others = trustme.CA(), trustme.CA()
    served_as = ours.issue_cert(LOOPBACK)
    cert, key, roots = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    served_as.cert_chain_pems[0].write_to_path(str(cert))
    served_as.private_key_pem.write_to_path(str(key))
    ours.cert_pem.write_to_path(str(roots))

    async def knock(port: int, who: trustme.LeafCert | None) -> bool:
        pair = (None, None) if who is None else (who.private_key_pem.bytes(), who.cert_chain_pems[0].bytes())
        credentials = grpc.ssl_channel_credentials(ours.cert_pem.bytes(), *pair)
        async with grpc.aio.secure_channel(f"{LOOPBACK}:{port}", credentials) as channel:
            check = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=3)
            return await ends(check) is grpc.StatusCode.OK

    async def work(desk: CaseDesk) -> list[bool]:
        tls = Tls(cert=cert, key=key, client_ca=roots)
        server = ReviewServer(desk, None, rig.metrics, host=LOOPBACK, port=0, tls=tls)  # type: ignore[arg-type]
        await server.start()
        try:
            known, stranger = ours.issue_cert("client.test"), others.issue_cert("client.test")
            return [await knock(server.port, who) for who in (known, stranger, None)]
        finally:
            await server.stop()

    assert rig.at_desk(work) == [True, False, False]
