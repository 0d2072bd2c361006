"""`signpost watchlist build`: from a folder of pictures to the sealed list a deployment searches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from console.authority import files
from console.authority.draft import SealedFacts
from console.edges import list_redis
from console.edges.grpc_enrolment import GrpcEnrolment
from console.watchlist import build as building
from console.watchlist import cards, folder
from console.watchlist.build import Built, Plan
from console.watchlist.enrolment import Enrolment
from console.watchlist.limits import BY_MODEL, Limits
from console.watchlist.report import lines
from services.contracts import keys
from services.contracts.authority import Authority
from services.contracts.codec import Sealing
from services.contracts.errors import Misconfigured, SignpostError
from services.contracts.ids import subject_token
from services.runtime.clock import SystemClock
from services.runtime.keys.cipher import AesGcm
from services.runtime.keys.folder import FolderKeys
from services.runtime.redis_client import check_durable, connect

app = typer.Typer(help="Build the list that a deployment searches.", no_args_is_help=True)

_MAX_FILLERS = 10_000


@app.command("cards")
def cards_command(
    root: Annotated[Path, typer.Argument(metavar="DIR", help="A folder a subject, pictures in each.")],
    *,
    category: Annotated[str, typer.Option(help="Of everybody.")] = "exercise",
    source: Annotated[str, typer.Option(help="Where the pictures are from.")] = "own pictures",
    reason: Annotated[str, typer.Option(help="Why they are listed.")] = "consenting test subject",
    days: Annotated[int, typer.Option(min=1, max=31, help="Until the entries expire.")] = 1,
) -> None:
    """Write a subject.yaml to begin with where one is missing. Look at them before building the list."""
    expires_on = (datetime.now(UTC) + timedelta(days=days)).date()
    try:
        written = cards.write_missing(root, cards.Common(category, source, reason, expires_on))
    except (OSError, Misconfigured) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    for path in written:
        typer.echo(f"wrote {path}: check its dates")


@app.command("build")
def build_command(  # noqa: PLR0913 - one an option
    root: Annotated[Path, typer.Argument(metavar="DIR", help="A folder a subject: pictures and subject.yaml.")],
    *,
    draft: Annotated[Path, typer.Option(help="The authority's draft, in YAML: the list is built within it.")],
    redis_durable_url: Annotated[str, typer.Option(envvar="REDIS_DURABLE_URL", help="The Redis that keeps.")],
    keys_dir: Annotated[Path, typer.Option(envvar="KEYS_DIR", help="Folder of the key store.")],
    enrolment: Annotated[str, typer.Option(help="embed's enrolment, host:port.")] = "127.0.0.1:50051",
    out: Annotated[
        Path | None, typer.Option(help="Where the list's digest and model go; beside the draft if not given.")
    ] = None,
    fillers: Annotated[
        int, typer.Option(min=0, max=_MAX_FILLERS, help="Made-up entries that pad a short list's cohort.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the fillers: the same seed gives the same ones.")] = 1,
    max_pictures: Annotated[int, typer.Option(min=1, max=20, help="Pictures kept a subject, best first.")] = 5,
    same_person: Annotated[
        float | None, typer.Option(help="Cosine from which pictures show one person; by model if not given.")
    ] = None,
    duplicate: Annotated[
        float | None, typer.Option(help="Cosine from which two subjects may be one; by model if not given.")
    ] = None,
) -> None:
    """Enrol every picture, refuse the bad ones, seal the rest, and write what its authority must name.

    Exits 1 if nothing was built, 2 if something has to be put right first; then the old list stays.
    """
    try:
        bounds = files.read_draft(draft).bounds()
        found = folder.read(root)
        store = FolderKeys(keys_dir, SystemClock())
        with GrpcEnrolment(enrolment) as client:
            limits = _limits(client, fillers=fillers, same_person=same_person, duplicate=duplicate)
            deployment_key = _key(store, bounds, keys.deployment(bounds).id)
            result = building.build(
                found,
                Plan(
                    watchlist=bounds.watchlist,
                    limits=limits,
                    token_of=lambda reference: subject_token(deployment_key, reference),
                    built_at=datetime.now(UTC),
                    max_pictures=max_pictures,
                    fillers=fillers,
                    seed=seed,
                ),
                client,
            )
        if isinstance(result, Built):
            key_id = keys.watchlist(bounds).id
            _write(redis_durable_url, bounds, result, Sealing(key_id, _key(store, bounds, key_id), AesGcm()))
            files.write_facts(out or files.facts_path(draft), _facts(bounds, result))
    except SignpostError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    for line in lines(result):
        typer.echo(line)
    if not isinstance(result, Built):
        raise typer.Exit(1)


def _limits(client: Enrolment, *, fillers: int, same_person: float | None, duplicate: float | None) -> Limits:
    name = client.model().name
    known = BY_MODEL.get(name)
    if known is None:
        if fillers or same_person is None or duplicate is None:
            raise Misconfigured(
                f"nothing is known of the cosines of {name}: give --same-person and --duplicate, no --fillers"
            )
        return Limits(stranger_mean=0.0, stranger_sd=0.0, same_person=same_person, duplicate=duplicate)
    return replace(
        known,
        same_person=known.same_person if same_person is None else same_person,
        duplicate=known.duplicate if duplicate is None else duplicate,
    )


def _key(store: FolderKeys, bounds: Authority, key_id: str) -> bytes:
    """Keys of the deployment and of its list; both die at the purge."""
    if bounds.purge_at <= datetime.now(UTC):
        raise Misconfigured(f"{bounds.deployment}: its window and purge are over; nothing may be built for it")
    return store.get_or_create(key_id, expires_at=bounds.purge_at)


def _facts(bounds: Authority, built: Built) -> SealedFacts:
    gallery = built.gallery
    return SealedFacts(
        deployment=bounds.deployment,
        id=gallery.name,
        digest=gallery.digest,
        model=gallery.model_id,
        score_kind=gallery.score_kind,
    )


def _write(url: str, bounds: Authority, built: Built, sealing: Sealing) -> None:
    with connect(SecretStr(url), client_name="watchlist-build") as client:
        check_durable(client)
        list_redis.write(client, bounds, built, sealing)
