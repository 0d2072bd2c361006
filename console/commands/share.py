"""`signpost share`: list pictures that leave or come, and the register of them. There is no other way."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from console.authority import files
from console.edges.grpc_oversight import OversightClient
from console.options import Key, KeysDir, Oversight, RegistryFile, Root
from console.refusals import refusals
from console.sharing import export, taking
from console.sharing.book import Book, queried
from console.sharing.trace import traced
from console.watchlist import storing
from services.contracts import yaml_text
from services.contracts.authorisation.statements import sign
from services.contracts.errors import Misconfigured
from services.contracts.sealed.bundle.read import open_bundle
from services.contracts.sealed.manifest import Manifest
from services.contracts.sealed.revocations import revoked
from services.contracts.sharing.statements import (
    AgreementEnded,
    AgreementMade,
    Direction,
    Due,
    FollowedUp,
    Outcome,
    SharedPicture,
    ShareMade,
    SharingStatement,
    Way,
)
from services.runtime.signing_key import read_signing_key

app = typer.Typer(
    help="List pictures that leave or come: agreed, recorded, marked, followed up.", no_args_is_help=True
)

Agreement = Annotated[str, typer.Option(help="The agreement's id.")]
Reason = Annotated[str, typer.Option(help="Why, in writing; it is kept.")]
Method = Annotated[str, typer.Option(help="How they go over.")]
Party = Annotated[str | None, typer.Argument(help="The other body's id; without it: anybody.")]
Serial = Annotated[int, typer.Argument(help="The share's serial.")]
Day = typer.Option(formats=["%Y-%m-%d"], help="A day, UTC.")
Since = Annotated[datetime, Day]
AskedBy = Annotated[str, typer.Option(help="Who asked: a body, or its letter's reference; no person.")]
_RECORDED_WAYS = (Way.LEGACY, Way.OUT_OF_BAND)


@app.command("agree")
def agree_command(
    agreement: Annotated[Path, typer.Argument(metavar="FILE", help="In YAML (docs/sharing.md).")],
    *,
    key: Key,
    oversight: Oversight,
) -> None:
    """Sign an agreement with another body, as the central approver."""
    with refusals(), OversightClient(oversight) as client:
        try:
            fields = yaml_text.loaded(files.read_text(agreement))
        except yaml_text.NotYaml as refused:
            raise Misconfigured(f"{agreement}: {refused}") from None
        if not isinstance(fields, dict):
            raise Misconfigured(f"{agreement}: must be a mapping of fields")
        line = client.sharing().line(AgreementMade, fields, now=_now())
        client.enter_sharing(_signed(line, key))
    typer.echo(f"agreement {line.agreement} with {line.party}, until {line.expires_at:%Y-%m-%d %H:%M} UTC")


@app.command("end")
def end_command(
    agreement: Annotated[str, typer.Argument(help="The agreement's id.")],
    *,
    reason: Reason,
    key: Key,
    oversight: Oversight,
) -> None:
    """Withdraw an agreement before it expires. What was shared under it stays to be followed up."""
    _enter(AgreementEnded, {"agreement": agreement, "reason": reason}, key, oversight)
    typer.echo(f"agreement {agreement} is ended")


@app.command("export")
def export_command(  # noqa: PLR0913 - one an option
    sealed: Annotated[Path, typer.Argument(metavar="FILE", help="The sealed list, as `watchlist seal` wrote it.")],
    *,
    entry: Annotated[list[str], typer.Option(help="Id of an entry whose pictures are shared.")],
    agreement: Agreement,
    reason: Reason,
    method: Method,
    out: Annotated[Path, typer.Option(help="Folder that the marked pictures are written to.")],
    key: Key,
    registry: RegistryFile,
    root: Root,
    keys_dir: KeysDir,
    oversight: Oversight,
) -> None:
    """Share pictures of a sealed list, as its manager: recorded first, then written, each with its mark."""
    now = _now()
    with refusals(), OversightClient(oversight) as client:
        book = client.sharing()
        under = book.agreement(agreement, Direction.OUT, now)
        known = files.read_registry(registry, root, now)
        contents = open_bundle(files.read_bytes(sealed), registry=known, now=now).contents
        contents.check()
        own = storing.sealing_of(contents, keys_dir)
        of = contents.manifest(own)
        entries = export.picked(of, entry, revoked=_revoked(of, client, keys_dir), now=now)
        fields = export.fields(
            of, entries, organisation=book.organisation, party=under.party, serial=book.known.next_serial
        )
        line = book.share(under, Direction.OUT, {**fields, "reason": reason, "method": method}, now)
        token = _signed(line, key)
        written = export.export(contents, entries, own, line, record=lambda: client.enter_sharing(token), out=out)
    _told(line)
    for path in written:
        typer.echo(f"wrote {path}")


@app.command("import")
def import_command(
    picture: Annotated[list[Path], typer.Argument(metavar="FILE", help="Pictures as the other body gave them.")],
    *,
    agreement: Agreement,
    reason: Reason,
    method: Method,
    into: Annotated[Path, typer.Option(help="The subject's folder that they are put in.")],
    key: Key,
    oversight: Oversight,
) -> None:
    """Take another body's pictures, as the list manager: recorded first, then put into a subject's folder."""
    now = _now()
    with refusals(), OversightClient(oversight) as client:
        book, found = client.sharing(), taking.read(picture)
        under = book.agreement(agreement, Direction.IN, now)
        fields = {**taking.fields(found), "reason": reason, "method": method}
        line = book.share(under, Direction.IN, fields, now)
        token = _signed(line, key)
        written = taking.take(found, record=lambda: client.enter_sharing(token), into=into)
    _told(line)
    for path in written:
        typer.echo(f"wrote {path}: its card must say `share: {line.serial}`, `source_type: partner_agency`")


@app.command("record")
def record_command(  # noqa: PLR0913 - one an option
    party: Annotated[str, typer.Argument(help="The other body's id.")],
    *,
    way: Annotated[Way, typer.Option(help="legacy: before this register; out_of_band: beside it.")],
    shared: Annotated[datetime, typer.Option(help="When (UTC).")],
    amount: Annotated[int, typer.Option(min=1, help="How many pictures.")],
    reason: Reason,
    method: Method,
    deletion_due: Annotated[datetime, typer.Option(help="By when they are to be deleted (UTC).")],
    outcome_due: Annotated[datetime, typer.Option(help="By when it is to be said what came of it (UTC).")],
    key: Key,
    oversight: Oversight,
    direction: Annotated[Direction, typer.Option(help="Whether they left or came.")] = Direction.OUT,
    agreement: Annotated[str | None, typer.Option(help="The agreement, if there was one.")] = None,
    picture: Annotated[list[Path] | None, typer.Option(help="A picture that was shared, if it is known.")] = None,
) -> None:
    """Enter a share that was not made by this system, as what it is."""
    with refusals(), OversightClient(oversight) as client:
        if way not in _RECORDED_WAYS:
            raise Misconfigured("a share by this system is made by `share export` or `share import`")
        book = client.sharing()
        fields = {
            "serial": book.known.next_serial,
            "direction": direction,
            "way": way,
            "agreement": agreement,
            "party": party,
            "shared_at": shared.replace(tzinfo=UTC),
            "pictures": [SharedPicture(sha256=_sha256(one)) for one in picture or ()],
            "amount": amount,
            "reason": reason,
            "method": method,
            "deletion_due": deletion_due.replace(tzinfo=UTC),
            "outcome_due": outcome_due.replace(tzinfo=UTC),
        }
        line = book.line(ShareMade, fields, now=_now())
        client.enter_sharing(_signed(line, key))
    _told(line)
    _warn_of_answers(oversight)


@app.command("followup")
def followup_command(
    serial: Serial,
    what: Annotated[Due, typer.Argument(help="What was heard of.")],
    *,
    evidence: Annotated[Path, typer.Option(help="The letter that says so; its digest is kept.")],
    outcome: Annotated[Outcome | None, typer.Option(help="What came of it.")] = None,
    done: Annotated[datetime | None, typer.Option(help="When it was done (UTC); now if not given.")] = None,
    key: Key,
    oversight: Oversight,
) -> None:
    """Record that a share's pictures were deleted, or what came of them."""
    with refusals():
        fields = {
            "serial": serial,
            "what": what,
            "done_at": done.replace(tzinfo=UTC) if done else _now(),
            "outcome": outcome,
            "evidence": _sha256(evidence),
        }
    _enter(FollowedUp, fields, key, oversight)
    typer.echo(f"share {serial}: {what} recorded")


@app.command("query")
def query_command(party: Party = None, *, since: Since, oversight: Oversight) -> None:
    """Show everything shared with a body since a day."""
    with refusals(), OversightClient(oversight) as client:
        known = client.sharing().known
    for line in queried(known, party, since.date()):
        typer.echo(line)


@app.command("answer")
def answer_command(
    party: Party = None, *, since: Since, asked_by: AskedBy, key: Key, oversight: Oversight
) -> None:
    """Publish what the register says, signed: the central approver's or an auditor's word."""
    _publish(party, since.date(), {"asked_by": asked_by}, key, oversight)


@app.command("correct")
def correct_command(
    answer: Annotated[int, typer.Argument(help="The number of the answer that was wrong.")],
    *,
    reason: Reason,
    key: Key,
    oversight: Oversight,
) -> None:
    """Publish another answer, signed, that supersedes one that was wrong. The wrong one stays to be read."""
    with refusals(), OversightClient(oversight) as client:
        wrong = client.sharing().known.answers.get(answer)
        if wrong is None:
            raise Misconfigured(f"no answer {answer} was published")
    fields = {"asked_by": wrong.asked_by, "supersedes": answer, "reason": reason}
    _publish(wrong.party, wrong.since, fields, key, oversight)


@app.command("overdue")
def overdue_command(*, oversight: Oversight) -> None:
    """Show what should have been heard by now, and which published answers are wrong; exit 1 if any."""
    with refusals(), OversightClient(oversight) as client:
        book = client.sharing()
    found = list(book.known.overdue(_now()))
    for what, number in found:
        typer.echo(f"{'answer' if what == 'correction' else 'share'} {number}: {what} is overdue")
    if book.known.broken:
        typer.echo("the register is BROKEN: a line is missing or keeps no rule; nothing is shared", err=True)
    if found or book.known.broken:
        raise typer.Exit(1)
    typer.echo("nothing is overdue")


@app.command("trace")
def trace_command(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="As it was found.")], *, oversight: Oversight
) -> None:
    """Say to whom a found picture was given; exit 1 if it bears no mark of ours."""
    with refusals(), OversightClient(oversight) as client:
        share = traced(files.read_bytes(picture), client.sharing().known)
    if share is None:
        typer.echo("bears no mark of this register")
        raise typer.Exit(1)
    said = share.said
    typer.echo(f"given to {said.party} by share {said.serial} on {said.shared_at:%Y-%m-%d}, mark {said.mark}")


def _revoked(of: Manifest, client: OversightClient, keys_dir: Path) -> frozenset[str]:
    """The ids of the entries that were taken off the list: oversight knows, which names nobody but by token."""
    off = client.taken_off(of.head.deployment, of.digest)
    return revoked(of, off, storing.token_of(of.head.deployment, keys_dir)) if off else frozenset()


def _publish(party: str | None, since: date, fields: Mapping[str, object], key: Path, oversight: str) -> None:
    with refusals(), OversightClient(oversight) as client:
        line = client.sharing().answer(party, since, fields, _now())
        client.enter_sharing(_signed(line, key))
    typer.echo(f"answer {line.answer}" + (f", superseding {line.supersedes}" if line.supersedes else ""))
    typer.echo(line.text)


def _enter(kind: type[SharingStatement], fields: Mapping[str, object], key: Path, oversight: str) -> None:
    with refusals(), OversightClient(oversight) as client:
        book: Book = client.sharing()
        line = book.line(kind, fields, now=_now())
        client.enter_sharing(_signed(line, key))


def _signed(line: SharingStatement, key: Path) -> str:
    return sign(line, read_signing_key(key, variable="--key"))


def _told(line: ShareMade) -> None:
    typer.echo(
        f"share {line.serial}: {line.amount} pictures, deletion due {line.deletion_due:%Y-%m-%d %H:%M},"
        f" outcome due {line.outcome_due:%Y-%m-%d %H:%M} UTC"
    )


def _warn_of_answers(oversight: str) -> None:
    with refusals(), OversightClient(oversight) as client:
        for one in client.sharing().known.contradicted():
            typer.echo(f"answer {one.answer} is wrong now: `signpost share correct {one.answer}`", err=True)


def _sha256(path: Path) -> str:
    return hashlib.sha256(files.read_bytes(path)).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC)
