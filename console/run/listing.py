"""Builds and seals an exercise's list: embed's own models enrol it, people who are made up sign it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from console.authority.draft import SealedFacts
from console.run.sample_authority import SampleAuthority
from console.run.service import ServiceProcess
from console.stack.errors import StackError
from console.watchlist import sealing, storing
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.registry import Registry, open_registry
from services.contracts.errors import SignpostError
from services.contracts.sealed.bundle.read import open_draft
from services.contracts.sharing.register import SharingRegister

_BUILD_WITHIN_S = 120


def build(enrol: ServiceProcess, arguments: Sequence[str], options: Mapping[str, str]) -> str:
    """Start `enrol`, run `signpost watchlist build`, end it. Returns the report; raises StackError."""
    enrol.start()
    try:
        enrol.await_ready()
        words = [word for option in options.items() for word in option]
        command = [sys.executable, "-m", "console", "watchlist", "build", *arguments, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_BUILD_WITHIN_S, check=False)
    finally:
        enrol.stop()
    if done.returncode != 0:
        raise StackError(f"the list was not built:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


@dataclass(frozen=True)
class ExerciseList:
    """An exercise's list from its draft on, signed by the sample's people. Sealed, it lies beside the draft."""

    draft: Path
    keys_dir: Path
    sample: SampleAuthority

    @property
    def sealed(self) -> Path:
        return self.draft.with_suffix(".splist")

    def seal(self) -> SealedFacts:
        """As manager and officer do with `watchlist approve` and `seal`. Raises StackError."""
        now = datetime.now(UTC)
        try:
            contents = open_draft(self.draft.read_bytes())
            own = storing.sealing_of(contents, self.keys_dir)
            people = [self.sample.key(role) for role in (Role.LIST_MANAGER, Role.AUTHORISING_OFFICER)]
            made = sealing.sealed(
                contents,
                own,
                [sealing.approved(contents, own, key, at=now) for key in people],
                self.sample.key(Role.LIST_MANAGER),
                registry=self._registry(),
                now=now,
            )
            storing.store_sealed(self.sealed, made)
        except SignpostError as error:
            raise StackError(f"the list was not sealed: {error}") from error
        return made.facts

    def load(self, document: Document, *, redis_durable_url: str) -> None:
        """As `watchlist load` does. Raises StackError."""
        try:
            storing.load(
                self.sealed.read_bytes(),
                document,
                registry=self._registry(),
                sharing=SharingRegister(),
                keys_dir=self.keys_dir,
                redis_durable_url=redis_durable_url,
                now=datetime.now(UTC),
            )
        except SignpostError as error:
            raise StackError(f"the list was not loaded: {error}") from error

    def _registry(self) -> Registry:
        return open_registry(self.sample.registry(), root_fingerprint=self.sample.root_fingerprint)
