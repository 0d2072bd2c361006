"""Oversight over gRPC: signed tokens in, how things stand out."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf.message import DecodeError

from console.authority.standing import Anchor, RegistryStanding, Revocations, Standing, Version
from console.edges.grpc_channel import channel_to
from console.sharing.book import Book
from services.contracts.audit.chain import SignedTreeHead
from services.contracts.audit.lines import decode_line
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.codec_fields import from_micros
from services.contracts.errors import Misconfigured, Transient, Undecodable
from services.contracts.sharing.register import read
from signpost.v1 import oversight_pb2 as pb
from signpost.v1 import oversight_pb2_grpc

# An answer waits for a transaction of Kafka's.
_CALL_S = 15.0
_AGAIN_AFTER_S = 0.5
_FINDINGS = "signpost-findings-bin"


class OversightClient:
    """The register of authorities at one or more addresses, of which one leads. A context manager; one thread.

    Calls block; they raise NotAuthorised with oversight's findings, Misconfigured for what it does not know, and
    Transient if nobody answered for `patience_s`.
    """

    def __init__(self, addresses: str, *, patience_s: float = _CALL_S) -> None:
        """`addresses`: host:port, comma between. Connects at the first call."""
        self._addresses = [one.strip() for one in addresses.split(",")]
        self._patience_s = patience_s
        self._channels = [channel_to(one) for one in self._addresses]
        self._stubs = [
            oversight_pb2_grpc.OversightServiceStub(one)  # type: ignore[no-untyped-call]  # generated
            for one in self._channels
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for channel in self._channels:
            channel.close()

    def put_registry(self, token: str) -> RegistryStanding:
        """Hand over a registry that the root signed."""
        return _registry(self._ask("PutRegistry", pb.PutRegistryRequest(registry=token)))

    def submit(self, document: Document, approvals: Iterable[str]) -> Standing:
        """Submit a document; its author's approval is among `approvals`."""
        request = pb.SubmitRequest(document=document.canonical_bytes(), approvals=approvals)
        return _standing(self._ask("Submit", request))

    def approve(self, approval: str) -> Standing:
        return _standing(self._ask("Approve", pb.ApproveRequest(approval=approval)))

    def order(self, order: str) -> Standing:
        """Have a move made."""
        return _standing(self._ask("Order", pb.OrderRequest(order=order)))

    def hold(self, hold: str) -> Standing:
        """Keep one case's evidence past the purge."""
        return _standing(self._ask("Hold", pb.HoldRequest(hold=hold)))

    def export(self, export: str) -> None:
        """Have it recorded that a copy of an audit chain leaves; the entry is asked for on return."""
        self._ask("Export", pb.ExportRequest(export=export))

    def anchors(self, deployment: str) -> list[Anchor]:
        """How the deployment's audit chain stands with each sink."""
        found = self._ask("Show", pb.ShowRequest(deployment=deployment)).anchors
        return [Anchor(one.sink, _head(one.head) if one.head else None) for one in found]

    def attest(self, attestation: str) -> Standing:
        return _standing(self._ask("Attest", pb.AttestRequest(attestation=attestation)))

    def revoke(self, revocation: str) -> Revocations:
        """Take entries off a sealed list."""
        found = self._ask("Revoke", pb.RevokeRequest(revocation=revocation))
        return Revocations(found.revocations, found.head)

    def versions(self, deployment: str) -> list[Version]:
        """Every version of a deployment's authority, oldest first."""
        found = self._ask("Show", pb.ShowRequest(deployment=deployment)).versions
        return [
            Version(
                _standing(one.authority),
                Document.from_canonical(one.document),
                tuple(one.approvals),
                one.certificate,
            )
            for one in found
        ]

    def newest(self, deployment: str) -> Version:
        """The newest version of a deployment's authority."""
        return self.versions(deployment)[-1]

    def revocations(self, deployment: str) -> Revocations:
        """What has been revoked of the deployment's list so far."""
        found = self._ask("Show", pb.ShowRequest(deployment=deployment)).revocations
        return Revocations(found.revocations, found.head)

    def taken_off(self, deployment: str, list_digest: str) -> frozenset[str]:
        """The tokens of who was taken off a list of the deployment's."""
        found = self._ask("Show", pb.ShowRequest(deployment=deployment)).taken_off
        return frozenset(token for one in found if one.list_digest == list_digest for token in one.tokens)

    def authorities(self) -> list[Standing]:
        """Every version of every deployment, by serial and version."""
        return [_standing(one) for one in self._ask("List", pb.ListRequest()).authorities]

    def enter_sharing(self, line: str) -> None:
        """The next line of the sharing register; recorded, and asked into the audit chain, on return."""
        self._ask("EnterSharing", pb.EnterSharingRequest(line=line))

    def sharing(self) -> Book:
        """The sharing register, whole."""
        lines: list[str] = []
        while True:
            page = self._ask("ShowSharing", pb.ShowSharingRequest(after=len(lines)))
            lines += page.lines
            if len(lines) >= page.lines_total or not page.lines:
                return Book(page.organisation, replace(read(lines), broken=page.broken))

    # The stubs are generated, without types.
    def _ask(self, name: str, request: Any) -> Any:  # noqa: ANN401
        """Ask one address after another while those that answer are standbys."""
        give_up_s = time.monotonic() + self._patience_s
        said: str | None = None
        while True:
            for stub in self._stubs:
                try:
                    return getattr(stub, name)(request, timeout=_CALL_S)
                except grpc.RpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise _refusal(error) from error
                    said = error.details()
            if time.monotonic() >= give_up_s:
                raise Transient(f"oversight at {', '.join(self._addresses)}: {said}")
            time.sleep(_AGAIN_AFTER_S)


def _refusal(error: grpc.RpcError) -> Exception:
    findings = [
        finding
        for one in error.trailing_metadata() or ()
        if one.key == _FINDINGS and isinstance(one.value, bytes)
        for finding in _findings(one.value)
    ]
    if findings:
        return NotAuthorised("oversight", findings)
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Transient(
            "oversight did not answer in time: whether it was recorded, `signpost authority show` tells"
        )
    return Misconfigured(f"oversight: {error.details()}")


def _findings(raw: bytes) -> list[Finding]:
    try:
        told = pb.Findings.FromString(raw)
    except DecodeError:
        return []
    return [Finding(one.field, one.rule, one.source) for one in told.findings]


def _standing(view: pb.AuthorityView) -> Standing:
    return Standing(
        deployment=view.deployment,
        version=view.version,
        serial=view.serial,
        digest=view.digest,
        state=view.state,
        state_sequence=view.state_sequence,
        window_start=from_micros(view.window_start_us),
        window_end=from_micros(view.window_end_us),
        quorum=view.quorum,
        attested=view.attested,
        waits_for=tuple(Finding(one.field, one.rule, one.source) for one in view.waits_for),
    )


def _head(raw: bytes) -> SignedTreeHead:
    line = decode_line(raw)
    if not isinstance(line, SignedTreeHead):
        raise Undecodable("oversight tells of a head that is none")
    return line


def _registry(view: pb.RegistryView) -> RegistryStanding:
    return RegistryStanding(view.sequence, from_micros(view.valid_until_us), view.oversight_may_sign)
