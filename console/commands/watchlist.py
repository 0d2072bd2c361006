"""`signpost watchlist`: from a folder of pictures to the sealed list that a deployment searches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from console.authority import files
from console.edges.grpc_enrolment import GrpcEnrolment
from console.edges.grpc_oversight import OversightClient
from console.edges.private_file import write_private
from console.options import Key, KeysDir, Oversight, RegistryFile, Root
from console.refusals import refusals
from console.watchlist import beforehand, cards, contents, folder, sealing, storing
from console.watchlist import build as building
from console.watchlist.build import Built, NothingBuilt, Plan
from console.watchlist.enrolment import Enrolment
from console.watchlist.folder import SubjectFolder
from console.watchlist.limits import BY_MODEL, Limits
from console.watchlist.rebuilding import enrolled_again, not_as_searched
from console.watchlist.report import faults, head, outcome, subject, table_head, table_width
from console.watchlist.revoking import take_off
from services.contracts.authorisation.enums import RevocationReason
from services.contracts.authorisation.registry import Registry
from services.contracts.errors import Misconfigured
from services.contracts.scoring import raw_scores
from services.contracts.sealed import rebuild
from services.contracts.sealed.bundle import frame
from services.contracts.sealed.bundle.read import draft_of, open_bundle, open_draft
from services.contracts.sealed.draft import draft_faults
from services.contracts.sealed.manifest import Manifest
from services.contracts.sealed.seal import check_manifest, parse_seal
from services.runtime.signing_key import read_signing_key

app = typer.Typer(help="The list: built, checked, signed by two people, sealed, loaded.", no_args_is_help=True)

_MAX_FILLERS = 10_000
ListDraft = Annotated[Path, typer.Argument(metavar="FILE", help="The list's draft, as `build` wrote it.")]
SealedFile = Annotated[Path, typer.Argument(metavar="FILE", help="The sealed list, as `seal` wrote it.")]


@app.command("cards")
def cards_command(
    root: Annotated[Path, typer.Argument(metavar="DIR", help="A folder a subject, pictures in each.")],
    *,
    added_by: Annotated[str, typer.Option(help="Who adds them: a number, no name.")] = "clerk-1",
    approved_by: Annotated[str, typer.Option(help="Who answers for that, somebody else.")] = "sergeant-1",
    days: Annotated[int, typer.Option(min=1, max=31, help="Until the entries expire.")] = 1,
) -> None:
    """Write a volunteer's subject.yaml where one is missing. Look at them before building the list."""
    at = datetime.now(UTC).replace(microsecond=0)
    common = cards.Common(added_by, approved_by, checked_at=at, expires_at=at + timedelta(days=days))
    with refusals():
        written = cards.write_missing(root, common)
        left_out = list(contents.told(root))
    for path in written:
        typer.echo(f"wrote {path}: check every field, and the pictures' dates")
    for line in left_out:
        typer.echo(line)


@app.command("build")
def build_command(  # noqa: PLR0913 - one an option
    root: Annotated[Path, typer.Argument(metavar="DIR", help="A folder a subject: pictures and subject.yaml.")],
    *,
    draft: Annotated[Path, typer.Option(help="The authority's draft, in YAML: the list is built within it.")],
    out: Annotated[Path, typer.Option(help="The list's draft to write; it is encrypted.")],
    keys_dir: KeysDir,
    enrolment: Annotated[str, typer.Option(help="embed's enrolment, host:port.")] = "127.0.0.1:50051",
    fillers: Annotated[
        int, typer.Option(min=0, max=_MAX_FILLERS, help="Made-up entries that pad a short list's cohort.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the fillers: the same seed gives the same ones.")] = 1,
    max_pictures: Annotated[int, typer.Option(min=1, max=20, help="Pictures kept a subject, best first.")] = 5,
    same_person: Annotated[
        float | None, typer.Option(help="Cosine from which pictures show one person; for a model of your own.")
    ] = None,
    duplicate: Annotated[
        float | None, typer.Option(help="Cosine from which two subjects may be one; for a model of your own.")
    ] = None,
) -> None:
    """Enrol every picture, refuse the bad ones, and write the draft that two people look at and sign.

    All that can be checked is checked before anything is enrolled. Exits 1 if nothing was built or the draft
    cannot be sealed as it is, 2 if something has to be put right first.
    """
    with refusals():
        authority = files.read_draft(draft)
        bounds = authority.bounds()
        found, resolutions = folder.read(root), folder.read_resolutions(root)
        _echo(contents.told(root))
        beforehand.check_places(out, keys_dir, bounds, now=datetime.now(UTC))
        with GrpcEnrolment(enrolment) as client:
            plan = Plan(
                deployment=bounds.deployment,
                watchlist=authority.watchlist,
                fpir_budget=authority.fpir_budget,
                model=bounds.watchlist.model,
                limits=_limits(client, fillers=fillers, same_person=same_person, duplicate=duplicate),
                built_at=datetime.now(UTC),
                resolutions=resolutions,
                max_pictures=max_pictures,
                fillers=fillers,
                seed=seed,
            )
            _refuse(found, plan)
            _echo(map(str, beforehand.in_two_folders(found)))
            result = _built(found, plan, client)
        # Said before it is kept: whatever happens to the draft, nobody has waited for nothing.
        _echo(outcome(result))
        if isinstance(result, Built):
            storing.store_draft(out, result, bounds, keys_dir, now=datetime.now(UTC))
    if isinstance(result, NothingBuilt) or result.faults:
        raise typer.Exit(1)


@app.command("check")
def check_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A list's draft, or a sealed list.")],
    *,
    keys_dir: KeysDir,
    registry: Annotated[Path | None, typer.Option(help="registry.jws; for a sealed list.")] = None,
    root: Root = "",
) -> None:
    """Say what is in a list, what of it was altered, and all that forbids sealing it; exit 1 if any."""
    now = datetime.now(UTC)
    with refusals():
        raw = files.read_bytes(file)
        if raw.startswith(frame.DRAFT_MAGIC):
            contents = open_draft(raw)
        else:
            if registry is None:
                raise Misconfigured("a sealed list is checked by who signed it: give --registry and --root")
            contents = open_bundle(raw, registry=files.read_registry(registry, root, now), now=now).contents
        contents.check()
        draft = draft_of(contents, storing.sealing_of(contents, keys_dir))
        wrong = draft_faults(draft, similarity=raw_scores, at=now)
    for line in (*faults(wrong), *head(draft.manifest)):
        typer.echo(line)
    if wrong:
        raise typer.Exit(1)


@app.command("approve")
def approve_command(
    file: ListDraft,
    *,
    key: Key,
    out: Annotated[Path, typer.Option(help="Where your signature goes.")],
    keys_dir: KeysDir,
    digest: Annotated[str | None, typer.Option(help="Of what you have looked at; it is asked for.")] = None,
) -> None:
    """Sign a list, as its manager or as an authorising officer: both must, and they must be two people."""
    now = datetime.now(UTC)
    with refusals():
        contents = open_draft(files.read_bytes(file))
        own = storing.sealing_of(contents, keys_dir)
        of = contents.manifest(own)
        if digest is None:
            for line in head(of):
                typer.echo(line)
            typer.confirm(f"Sign this, {of.digest}?", abort=True)
        elif digest != of.digest:
            raise Misconfigured(f"{file}: its digest is {of.digest}")
        token = sealing.approved(contents, own, read_signing_key(key, variable="--key"), at=now)
        write_private(out, token + "\n")
    typer.echo(f"signed {of.digest}")


@app.command("seal")
def seal_command(
    file: ListDraft,
    *,
    signature: Annotated[list[Path], typer.Option(help="A file that `approve` wrote; two of them.")],
    key: Key,
    registry: RegistryFile,
    root: Root,
    out: Annotated[Path, typer.Option(help="The sealed list; its manifest, seal and facts come beside it.")],
    keys_dir: KeysDir,
) -> None:
    """Seal a list that two people signed, as its manager. Nobody changes it afterwards, not even its manager.

    The manifest and the seal stay when the list is purged; the facts go into the authority.
    """
    now = datetime.now(UTC)
    with refusals():
        contents = open_draft(files.read_bytes(file))
        made = sealing.sealed(
            contents,
            storing.sealing_of(contents, keys_dir),
            [files.read_text(one).strip() for one in signature],
            read_signing_key(key, variable="--key"),
            registry=files.read_registry(registry, root, now),
            now=now,
        )
        storing.store_sealed(out, made)
    typer.echo(f"sealed {made.facts.digest}")


@app.command("load")
def load_command(
    file: SealedFile,
    *,
    oversight: Oversight,
    registry: RegistryFile,
    root: Root,
    redis_durable_url: Annotated[str, typer.Option(envvar="REDIS_DURABLE_URL", help="The Redis that keeps.")],
    keys_dir: KeysDir,
) -> None:
    """Put a sealed list where match and review read it, if the newest authority names it and admits it."""
    now = datetime.now(UTC)
    with refusals():
        raw, known = files.read_bytes(file), files.read_registry(registry, root, now)
        deployment = open_bundle(raw, registry=known, now=now).contents.seal.deployment
        with OversightClient(oversight) as client:
            document, sharing = client.newest(deployment).document, client.sharing().known
        of = storing.load(
            raw,
            document,
            registry=known,
            sharing=sharing,
            keys_dir=keys_dir,
            redis_durable_url=redis_durable_url,
            now=now,
        )
    typer.echo(f"loaded {of.digest}: {len(of.entries)} entries")


@app.command("revoke")
def revoke_command(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="As `seal` wrote it; its seal lies beside.")
    ],
    entry: Annotated[list[str], typer.Argument(help="Ids of entries.")],
    *,
    reason: Annotated[RevocationReason, typer.Option(help="Why; it is recorded for good.")],
    key: Key,
    oversight: Oversight,
    registry: RegistryFile,
    root: Root,
    keys_dir: KeysDir,
) -> None:
    """Take entries off a list that is in use, for good. Two seconds later nothing alerts for them any more."""
    now = datetime.now(UTC)
    with refusals():
        of = _manifest(manifest, files.read_registry(registry, root, now), now)
        token_of = storing.token_of(of.head.deployment, keys_dir)
        own = read_signing_key(key, variable="--key")
        with OversightClient(oversight) as client:
            found = take_off(of, entry, reason, token_of=token_of, key=own, oversight=client)
    typer.echo(f"{len(set(entry))} taken off {of.digest}; {found.count} revocations")


@app.command("manifest")
def manifest_command(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="As `seal` wrote it; its seal lies beside.")
    ],
    *,
    registry: RegistryFile,
    root: Root,
    wanted: Annotated[
        bool, typer.Option("--wanted", help="Print which pictures to fetch, to make it again.")
    ] = False,
) -> None:
    """Check a kept manifest against its seal, and say what was on the list; exit 1 if one byte is another."""
    now = datetime.now(UTC)
    with refusals():
        of = _manifest(manifest, files.read_registry(registry, root, now), now)
    for line in head(of):
        typer.echo(line)
    if wanted:
        for sha256, (system, reference) in rebuild.wanted(of).items():
            typer.echo(f"{sha256}  {system}  {reference}")


@app.command("rebuild")
def rebuild_command(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="As `seal` wrote it; its seal lies beside.")
    ],
    pictures: Annotated[Path, typer.Argument(metavar="DIR", help="The pictures, fetched again, in any folders.")],
    *,
    registry: RegistryFile,
    root: Root,
    enrolment: Annotated[str, typer.Option(help="embed's enrolment, host:port.")] = "127.0.0.1:50051",
) -> None:
    """Make a past list again and hold it against its manifest, template for template; exit 1 if one differs.

    The same machine, runtime and precision are needed: another's last bits differ, and it is said so.
    """
    now = datetime.now(UTC)
    with refusals():
        of = _manifest(manifest, files.read_registry(registry, root, now), now)
        with GrpcEnrolment(enrolment) as client:
            found = enrolled_again(pictures, of, client)
        wrong = list(not_as_searched(of, found))
    for fault in wrong:
        typer.echo(str(fault))
    if wrong:
        raise typer.Exit(1)
    typer.echo(f"{of.digest} again: {of.head.templates} templates and {of.head.fillers} fillers, bit for bit")


def _refuse(found: Sequence[SubjectFolder], plan: Plan) -> None:
    """Exits 1 where the list could not be sealed whatever its pictures are: nothing is enrolled then."""
    wrong = list(beforehand.faults(found, plan))
    _echo(faults(wrong, {str(one.card["entry_id"]): one.name for one in found}))
    if wrong:
        typer.echo("nothing was enrolled: put this right first", err=True)
        raise typer.Exit(1)


def _built(found: Sequence[SubjectFolder], plan: Plan, client: Enrolment) -> Built | NothingBuilt:
    """Built, each subject told as soon as it is through."""
    width = table_width(one.name for one in found)
    typer.echo(table_head(width))
    copies = beforehand.copies(found)
    return building.build(found, plan, client, copies=copies, told=lambda one: _echo(subject(one, width)))


def _echo(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def _manifest(path: Path, registry: Registry, now: datetime) -> Manifest:
    seal = parse_seal(files.read_bytes(path.with_suffix(".seal")))
    return check_manifest(files.read_bytes(path), seal, registry, now=now)


def _limits(client: Enrolment, *, fillers: int, same_person: float | None, duplicate: float | None) -> Limits:
    """A known model's are not to be overridden: one set high would hide that two entries are one person."""
    name, given = client.model().name, (same_person, duplicate)
    known = BY_MODEL.get(name)
    if known is not None:
        if given != (None, None):
            raise Misconfigured(f"the cosines of {name} are known: leave out --same-person and --duplicate")
        return known
    if fillers or same_person is None or duplicate is None:
        raise Misconfigured(
            f"nothing is known of the cosines of {name}: give --same-person and --duplicate, no --fillers"
        )
    return Limits(stranger_mean=0.0, stranger_sd=0.0, same_person=same_person, duplicate=duplicate)
