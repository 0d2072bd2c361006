"""Options that several commands have, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Key = Annotated[Path, typer.Option(help="Your own key, PEM.")]
KeysDir = Annotated[Path, typer.Option(envvar="KEYS_DIR", help="Folder of the key store.")]
Oversight = Annotated[str, typer.Option(envvar="OVERSIGHT", help="Oversight, host:port; comma between.")]
RegistryFile = Annotated[Path, typer.Option("--registry", help="registry.jws, as the root wrote it.")]
Root = Annotated[str, typer.Option(envvar="AUTHORITY_ROOT", help="The root's fingerprint.")]
