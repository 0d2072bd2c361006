"""`signpost authority`: from a draft to a signed authority and to its end. Who orders something signs it here."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console

from console.authority import files, first_draft
from console.authority.first_cameras import Told, played, told
from console.authority.first_draft import FirstList, Who
from console.authority.show import as_lines, as_table
from console.authority.standing import Standing, movable, ran_last
from console.edges.grpc_oversight import OversightClient
from console.options import Key, Oversight
from console.refusals import refusals
from services.contracts.authorisation import rules
from services.contracts.authorisation.approvals import approve
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Move, Role
from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.authorisation.statements import Attestation, Order, sign
from services.contracts.errors import Misconfigured
from services.contracts.events import ScoreKind
from services.runtime.signing_key import read_signing_key

app = typer.Typer(help="An authority: written, signed, submitted, ordered about.", no_args_is_help=True)

DraftFile = Annotated[Path, typer.Argument(metavar="DRAFT", help="The draft, in YAML (docs/deployment.md).")]
Deployment = Annotated[str, typer.Argument(help="The deployment's id.")]
Facts = Annotated[
    Path | None,
    typer.Option("--list", help="NAME.list.yaml, as `watchlist seal` wrote it; beside the draft if not given."),
]
Reason = Annotated[str, typer.Option(help="Why, in writing; it is kept.")]


@app.command("new")
def new_command(
    deployment: Deployment,
    *,
    camera: Annotated[list[str], typer.Option(help="Id of a camera; its address is asked for.")],
    source: Annotated[
        list[str] | None,
        typer.Option(help="file:PATH or folder:PATH that is played instead, for each --camera in turn."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The draft to write; its other files come beside it.")],
    organisation: Annotated[str, typer.Option(help="a-z, 0-9, hyphen.")] = "our-club",
    author: Annotated[str, typer.Option(help="Who writes it: a number, no name.")] = "author-1",
    accountable: Annotated[str, typer.Option(help="Who answers for it, somebody else.")] = "accountable-1",
    hours: Annotated[float, typer.Option(min=0.1, max=24, help="How long it may run, from now.")] = 4.0,
) -> None:
    """Write a draft for an exercise with consenting people, to be looked at field by field.

    An address (rtsp://...) may carry a password, so it is asked for, and kept in a file of its own. Nothing is
    written unless the draft keeps every rule and ingest will read its cameras.
    """
    now = datetime.now(UTC)
    with refusals():
        cameras = _told(camera, source or [])
        fields = first_draft.exercise(
            deployment,
            [one.camera for one in cameras],
            FirstList(id="faces", max_entries=100, score_kind=ScoreKind.RAW),
            who=Who(organisation=organisation, author=author, accountable_person=accountable),
            papers=files.papers_path(out).name,
            now=now,
            lasts=timedelta(hours=hours),
        )
        files.write_first_whole(out, fields, first_draft.stubs(deployment), [one.as_read() for one in cameras])
    typer.echo(f"wrote {out} and {files.cameras_path(out)}: look at every field before it is signed")


@app.command("check")
def check_command(
    draft: DraftFile,
    *,
    facts: Facts = None,
    out: Annotated[Path | None, typer.Option(help="Write the document, to the byte that is signed.")] = None,
) -> None:
    """Say every rule that a draft breaks, by field and source; exit 1 if there is one. Needs nobody."""
    with refusals():
        read = files.read_draft(draft)
        _refuse(files.unlike(read, draft))
        path = facts or files.facts_path(draft)
        if facts is None and not path.exists():
            _refuse(read.broken())
            typer.echo("keeps every rule; its list is not built yet, so there is nothing to sign")
            return
        document = read.document(files.read_facts(path))
        _refuse(rules.broken(document))
        if out is not None:
            out.write_bytes(document.canonical_bytes())
    typer.echo(f"keeps every rule\ndigest {document.digest}")


@app.command("submit")
def submit_command(draft: DraftFile, *, key: Key, oversight: Oversight, facts: Facts = None) -> None:
    """Sign a draft as its author and hand it in."""
    with refusals():
        document = files.read_draft(draft).document(files.read_facts(facts or files.facts_path(draft)))
        _refuse(rules.broken(document))
        mine = approve(
            document,
            read_signing_key(key, variable="--key"),
            role=Role.AUTHOR,
            person=document.author,
            at=datetime.now(UTC),
        )
        with OversightClient(oversight) as client:
            _tell(client.submit(document, [mine]))


@app.command("approve")
def approve_command(
    deployment: Deployment,
    *,
    key: Key,
    person: Annotated[str, typer.Option(help="Your number in the organisation's records.")],
    oversight: Oversight,
    digest: Annotated[str | None, typer.Option(help="Of what you have read; it is shown and asked for.")] = None,
    urgent: Annotated[bool, typer.Option("--urgent", help="As urgent officer: until its deadline.")] = False,
) -> None:
    """Sign the newest version as its authorising officer."""
    with refusals(), OversightClient(oversight) as client:
        document = client.newest(deployment).document
        if digest is None:
            typer.echo(_written(document))
            typer.confirm(f"Authorise this, {document.digest}?", abort=True)
        elif digest != document.digest:
            _refuse((Finding("digest", f"is not that of the newest version, {document.digest}", "issue 4.1"),))
        role = Role.URGENT_OFFICER if urgent else Role.AUTHORISING_OFFICER
        own = read_signing_key(key, variable="--key")
        _tell(client.approve(approve(document, own, role=role, person=person, at=datetime.now(UTC))))


@app.command("attest")
def attest_command(
    deployment: Deployment,
    *,
    key: Key,
    notice: Annotated[Path, typer.Option(help="The public notice, as it was published.")],
    address: Annotated[str, typer.Option(help="Where the public reads it.")],
    published: Annotated[datetime | None, typer.Option(help="When (UTC); now if not given.")] = None,
    signs_up: Annotated[datetime | None, typer.Option(help="Since when the signs are up (UTC).")] = None,
    oversight: Oversight,
) -> None:
    """Sign that the public notice is out and the signs are up; nothing is searched before."""
    now = datetime.now(UTC)
    with refusals(), OversightClient(oversight) as client:
        standing = client.newest(deployment).standing
        attestation = Attestation.read(
            {
                "deployment": deployment,
                "version": standing.version,
                "digest": standing.digest,
                "signed_at": now,
                "notice_address": address,
                "notice_sha256": hashlib.sha256(_bytes(notice)).hexdigest(),
                "notice_published_at": published.replace(tzinfo=UTC) if published else now,
                "signs_up_at": signs_up.replace(tzinfo=UTC) if signs_up else now,
            }
        )
        _tell(client.attest(sign(attestation, read_signing_key(key, variable="--key"))))


@app.command("refuse")
def refuse_command(deployment: Deployment, *, key: Key, reason: Reason, oversight: Oversight) -> None:
    """Refuse what was submitted."""
    _order(deployment, Move.REFUSE, key, reason, oversight)


@app.command("cancel")
def cancel_command(deployment: Deployment, *, key: Key, reason: Reason, oversight: Oversight) -> None:
    """Withdraw an authority before it begins."""
    _order(deployment, Move.CANCEL, key, reason, oversight)


@app.command("stop")
def stop_command(deployment: Deployment, *, key: Key, reason: Reason, oversight: Oversight) -> None:
    """End a running deployment, for good. Nothing is searched two seconds later."""
    _order(deployment, Move.STOP, key, reason, oversight)


@app.command("suspend")
def suspend_command(deployment: Deployment, *, key: Key, reason: Reason, oversight: Oversight) -> None:
    """Halt a running deployment; who approved it may resume it."""
    _order(deployment, Move.SUSPEND, key, reason, oversight)


@app.command("resume")
def resume_command(deployment: Deployment, *, key: Key, reason: Reason, oversight: Oversight) -> None:
    """Let a suspended deployment go on; only who approved it may."""
    _order(deployment, Move.RESUME, key, reason, oversight)


@app.command("review")
def review_command(
    deployment: Deployment,
    *,
    key: Key,
    review: Annotated[Path, typer.Option(help="The review as it was held, in writing: its digest is recorded.")],
    reason: Reason = "the review was held",
    oversight: Oversight,
) -> None:
    """Record, as an auditor, that a deployment that was reported on has been reviewed."""
    with refusals():
        held = hashlib.sha256(_bytes(review)).hexdigest()
    _order(deployment, Move.REVIEW, key, reason, oversight, evidence=held)


@app.command("show")
def show_command(
    deployment: Deployment,
    *,
    oversight: Oversight,
    document: Annotated[bool, typer.Option("--document", help="Print what was signed, too.")] = False,
) -> None:
    """Show how a deployment stands, and what it waits for: its newest version, and the one that ran last."""
    with refusals(), OversightClient(oversight) as client:
        versions = client.versions(deployment)
    newest, ran = versions[-1], ran_last(versions)
    _tell(newest.standing)
    if ran is not newest:
        _tell(ran.standing)
    if document:
        typer.echo(_written(newest.document))


@app.command("list")
def list_command(*, oversight: Oversight) -> None:
    """Show every authority of the organisation, in order of serial and version."""
    with refusals(), OversightClient(oversight) as client:
        Console().print(as_table(client.authorities()))


def _told(names: list[str], sources: list[str]) -> list[Told]:
    """Each camera, checked before the next is asked for. Raises Misconfigured."""
    if len(sources) > len(names):
        raise Misconfigured(f"--source is given {len(sources)} times for {len(names)} of --camera")
    given = [played(name, source) for name, source in zip(names, sources, strict=False)]
    asked = names[len(given) :]
    return given + [told(name, typer.prompt(f"address of {name} (rtsp://..., file:, folder:)")) for name in asked]


def _order(
    deployment: str, move: Move, key: Path, reason: str, oversight: str, *, evidence: str | None = None
) -> None:
    with refusals(), OversightClient(oversight) as client:
        standing = movable(client.versions(deployment), move).standing
        order = Order.read(
            {
                "deployment": deployment,
                "version": standing.version,
                "digest": standing.digest,
                "signed_at": datetime.now(UTC),
                "sequence": standing.state_sequence + 1,
                "move": move,
                "reason": reason,
                "evidence": evidence,
            }
        )
        _tell(client.order(sign(order, read_signing_key(key, variable="--key"))))


def _tell(standing: Standing) -> None:
    for line in as_lines(standing):
        typer.echo(line)


def _refuse(findings: tuple[Finding, ...]) -> None:
    if findings:
        raise NotAuthorised("rules", findings)


def _written(document: Document) -> str:
    return yaml.safe_dump(document.model_dump(mode="json"), sort_keys=False)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be read ({type(error).__name__})") from None
