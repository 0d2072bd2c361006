"""The services that there are, found by their files: their settings and metrics, for what is generated."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

from services.runtime.settings import ServiceSettings

ROOT = Path(__file__).resolve().parents[1]
# In the order of the data path; a service not named here comes after.
_ORDER = ("ingest", "embed", "match", "review")


def names(file: str) -> list[str]:
    """Every package of `services/` that has `file`, in the order of the data path."""
    found = {path.parent.name for path in ROOT.glob(f"services/*/{file}")} - {"runtime", "contracts"}
    return sorted(found, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))


def metrics_modules() -> dict[str, ModuleType]:
    """`metrics.py` of each service."""
    return {name: import_module(f"services.{name}.metrics") for name in names("metrics.py")}


def settings_classes() -> dict[str, type[ServiceSettings]]:
    """What each kind of process is told: "embed" and, for its second entry point, "embed: enrolment"."""
    found: dict[str, type[ServiceSettings]] = {}
    for name in names("settings.py"):
        for one in _leaves(import_module(f"services.{name}.settings")):
            kind = one.__name__.removesuffix("Settings").lower()
            found[name if kind == name else f"{name}: {kind}"] = one
    return found


def _leaves(module: ModuleType) -> list[type[ServiceSettings]]:
    """The settings classes that a module defines and does not itself build upon."""
    defined = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, ServiceSettings) and one.__module__ == module.__name__
    ]
    return [one for one in defined if not any(other is not one and issubclass(other, one) for other in defined)]
