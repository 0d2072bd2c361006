"""`signpost keys`: the root, and whose key is whose. All but `publish` is for a machine without a network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from console.authority import key_file, keys
from console.authority.files import read_text
from console.edges.grpc_oversight import OversightClient
from console.refusals import refusals
from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.registry import Registry, open_registry, sign_registry
from services.contracts.authorisation.signing import SigningKey, take_apart

app = typer.Typer(help="The root, and whose key is whose.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The root's folder: root.key and registry.jws.")]
Passphrase = Annotated[Path | None, typer.Option(help="File with the root's passphrase; asked for without it.")]
RegistryDays = Annotated[int, typer.Option(min=1, max=366, help="The root must sign anew after so many days.")]
Days = Annotated[int, typer.Option(min=1, max=3660, help="The key may sign for so many days from now.")]

_ROOT_KEY = "root.key"
_REGISTRY = "registry.jws"


@app.command("root")
def root_command(
    folder: Folder,
    *,
    organisation: Annotated[str, typer.Option(help="a-z, 0-9, hyphen.")],
    passphrase_file: Passphrase = None,
    registry_days: RegistryDays = 31,
) -> None:
    """Make the organisation's root and its first registry. The fingerprint goes into every service's settings."""
    with refusals():
        secret = key_file.new_secret()
        root = SigningKey(secret)
        registry = keys.begun(organisation, root.public, now=_now(), lasts=timedelta(days=registry_days))
        key_file.write_sealed_key(folder / _ROOT_KEY, secret, _passphrase(passphrase_file, new=True))
        _hand_out(folder, registry, root)
    typer.echo(f"AUTHORITY_ROOT={root.kid}")


@app.command("new")
def new_command(out: Annotated[Path, typer.Argument(metavar="FILE", help="The key's file, to be made.")]) -> None:
    """Make a key of your own; the root enrols its public half. The file stays with you."""
    with refusals():
        secret = key_file.new_secret()
        key_file.write_key(out, secret)
    typer.echo(f"public {SigningKey(secret).public}")


@app.command("enrol")
def enrol_command(
    folder: Folder,
    *,
    person: Annotated[str, typer.Option(help="Whose: a number in the organisation's records, no name.")],
    role: Annotated[Role, typer.Option(help="What for.")],
    public: Annotated[
        str | None, typer.Option(help="Public half of their own key; without it one is made for them.")
    ] = None,
    days: Days = 365,
    passphrase_file: Passphrase = None,
    registry_days: RegistryDays = 31,
) -> None:
    """Enter a person's key into the registry."""
    with refusals():
        secret = key_file.new_secret()
        theirs = public or SigningKey(secret).public
        now, made = _now(), folder / f"{person}-{role}.pem"
        key = keys.registered(theirs, person=person, role=role, valid_from=now, lasts=timedelta(days=days))
        term = timedelta(days=registry_days)
        registry = keys.enrolled(_registry(folder), key, now=now, lasts=term)
        root = _root(folder, passphrase_file)
        if public is None:
            key_file.write_key(made, secret)
            typer.echo(f"wrote {made}: hand it over and keep no copy")
        _hand_out(folder, registry, root)
    typer.echo(f"kid {key.kid}; registry {registry.sequence}")


@app.command("revoke")
def revoke_command(
    folder: Folder,
    *,
    # An option: an id may begin with a hyphen, and an argument cannot.
    kid: Annotated[str, typer.Option(help="The key's id, as `keys list` tells it.")],
    passphrase_file: Passphrase = None,
    registry_days: RegistryDays = 31,
) -> None:
    """Withdraw a key: all that it ever signed is void, once the registry is published."""
    term = timedelta(days=registry_days)
    with refusals():
        registry = keys.revoked(_registry(folder), kid, now=_now(), lasts=term)
        _hand_out(folder, registry, _root(folder, passphrase_file))
    typer.echo(f"revoked; registry {registry.sequence}")


@app.command("list")
def list_command(folder: Folder) -> None:
    """Show every key of the registry."""
    with refusals():
        registry = _registry(folder)
    table = Table(title=f"registry {registry.sequence} of {registry.organisation}, until {registry.valid_until}")
    for heading in ("kid", "person", "role", "until", "revoked"):
        table.add_column(heading, no_wrap=heading == "kid")
    for key in registry.keys:
        told = f"{key.revoked_at:%F %T}Z" if key.revoked_at else ""
        table.add_row(key.kid, key.person, key.role, f"{key.valid_to:%F}", told)
    Console().print(table)
    typer.echo(f"AUTHORITY_ROOT={registry.root_fingerprint}")


@app.command("publish")
def publish_command(
    registry: Annotated[Path, typer.Argument(metavar="FILE", help="registry.jws, as the root wrote it.")],
    *,
    oversight: Annotated[str, typer.Option(envvar="OVERSIGHT", help="Oversight, host:port.")],
) -> None:
    """Hand the registry to oversight; every service goes by it from then on."""
    with refusals(), OversightClient(oversight) as client:
        standing = client.put_registry(read_text(registry).strip())
    typer.echo(f"registry {standing.sequence} is in force until {standing.valid_until}")
    if not standing.oversight_may_sign:
        typer.echo("oversight's own key is not in it: nothing can be authorised, every search stops", err=True)
        raise typer.Exit(1)


def _root(folder: Path, passphrase: Path | None) -> SigningKey:
    return key_file.read_sealed_key(folder / _ROOT_KEY, _passphrase(passphrase, new=False))


def _hand_out(folder: Path, registry: Registry, root: SigningKey) -> None:
    (folder / _REGISTRY).write_text(sign_registry(registry, root) + "\n")


def _registry(folder: Path) -> Registry:
    # Beside its own root there is nobody else to compare it with.
    token = read_text(folder / _REGISTRY).strip()
    return open_registry(token, root_fingerprint=take_apart(token).kid)

    return take_apart(token).kid


def _passphrase(path: Path | None, *, new: bool) -> str:
    if path is not None:
        return read_text(path).strip()
    asked: str = typer.prompt("the root's passphrase", hide_input=True, confirmation_prompt=new)
    return asked


def _now() -> datetime:
    return datetime.now(UTC)
