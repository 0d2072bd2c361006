"""The register's values as messages."""

from __future__ import annotations

from collections.abc import Iterable

from services.contracts.audit.lines import encode_line
from services.contracts.authorisation.findings import Finding
from services.contracts.authorisation.revocations import Revocations
from services.contracts.codec_fields import micros
from services.oversight.core.clerk import Clerk, Now, weighed
from services.oversight.core.register import Deployment, Register, Version
from services.oversight.ports import Anchored
from signpost.v1 import oversight_pb2 as pb

# Far below what gRPC's clients take.
_PAGE_BYTES = 1024 * 1024


def findings(found: Iterable[Finding]) -> list[pb.Finding]:
    return [pb.Finding(field=one.field, rule=one.rule, source=one.source) for one in found]


class Views:
    """How things stand in `register` at `now`. Pure; made for one answer."""

    def __init__(self, register: Register, clerk: Clerk, now: Now) -> None:
        self._register = register
        self._clerk = clerk
        self._now = now

    def authority(self, version: Version) -> pb.AuthorityView:
        document = version.document
        verified, _ = weighed(self._register, version, self._now)
        return pb.AuthorityView(
            deployment=document.id,
            version=document.version,
            serial=document.serial,
            digest=document.digest,
            state=version.state,
            state_sequence=len(version.moves),
            window_start_us=micros(document.window.start),
            window_end_us=micros(document.window.end),
            quorum=verified.quorum if verified else "",
            attested=bool(version.attestations),
            waits_for=findings(self._clerk.waits_for(self._register, version, self._now)),
        )

    def deployment(self, found: Deployment) -> pb.ShowResponse:
        versions = (found.versions[number] for number in sorted(found.versions))
        return pb.ShowResponse(
            versions=[self._version(version) for version in versions],
            revocations=revocations(found.revocations),
            lease_sequence=found.lease.sequence if found.lease else 0,
            taken_off=[
                pb.TakenOffView(list_digest=digest, tokens=sorted(tokens))
                for digest, tokens in found.revocations.off.items()
            ],
        )

    def everything(self) -> pb.ListResponse:
        return pb.ListResponse(
            authorities=[self.authority(version) for version in self._register.versions()],
            registry=self.registry(),
        )

    def registry(self) -> pb.RegistryView:
        """Empty where none is known."""
        known = self._register.registry
        if known is None:
            return pb.RegistryView()
        return pb.RegistryView(
            sequence=known.sequence,
            valid_until_us=micros(known.valid_until),
            oversight_may_sign=self._clerk.may_sign(self._register, self._now.wall),
        )

    def _version(self, version: Version) -> pb.VersionView:
        return pb.VersionView(
            authority=self.authority(version),
            document=version.document.canonical_bytes(),
            approvals=version.approvals,
            attestation=version.attestations[-1] if version.attestations else "",
            states=[move.token for move in version.moves],
            certificate=version.certificate,
        )


def revocations(found: Revocations) -> pb.RevocationsView:
    return pb.RevocationsView(revocations=len(found.heads) - 1, head=found.heads[-1])


def anchors(found: Iterable[Anchored]) -> list[pb.AnchorView]:
    return [pb.AnchorView(sink=one.sink, head=encode_line(one.head) if one.head else b"") for one in found]


def sharing(register: Register, *, after: int | None = None) -> pb.SharingView:
    """Where the sharing register stands, and a page of its lines where they are asked for."""
    found = register.sharing
    lines: list[str] = []
    for token in found.tokens[after:] if after is not None else ():
        if lines and sum(map(len, lines)) + len(token) > _PAGE_BYTES:
            break
        lines.append(token)
    return pb.SharingView(
        lines=lines,
        lines_total=len(found.tokens),
        head=found.heads[-1],
        broken=found.broken,
        organisation=register.organisation,
    )
