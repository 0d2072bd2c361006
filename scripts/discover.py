"""The services that there are, found by their files: their settings and metrics, for what is generated."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

from services.runtime.settings import ProcessSettings

ROOT = Path(__file__).resolve().parents[1]
# In the order of the data path; a service not named here comes after.
_ORDER = ("ingest", "embed", "match", "review", "oversight")


def names(file: str) -> list[str]:
    """Every package of `services/` that has `file`, in the order of the data path."""
    found = {path.parent.name for path in ROOT.glob(f"services/*/{file}")} - {"runtime", "contracts"}
    return sorted(found, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))


def metrics_modules() -> dict[str, ModuleType]:
    """`metrics.py` of each service."""
    return {name: import_module(f"services.{name}.metrics") for name in names("metrics.py")}


def settings_classes() -> dict[str, type[ProcessSettings]]:
    """What each kind of process is told: "embed" and, for its other entry points, "embed: enrolment"."""
    found: dict[str, type[ProcessSettings]] = {}
    for name in names("settings.py"):
        for kind, one in _kinds(import_module(f"services.{name}.settings")).items():
            if kind == name:
                found[name] = one
            elif not _is_built_upon(one):
                found[f"{name}: {kind}"] = one
    return found


def _kinds(module: ModuleType) -> dict[str, type[ProcessSettings]]:
    """The settings classes that a module defines: RayHeadSettings is "ray head"."""
    defined = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, ProcessSettings) and one.__module__ == module.__name__
    ]
    return {re.sub(r"(?<!^)(?=[A-Z])", " ", one.__name__.removesuffix("Settings")).lower(): one for one in defined}


def _is_built_upon(one: type[ProcessSettings]) -> bool:
    return bool(one.__subclasses__())
