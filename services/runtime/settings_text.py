"""Settings in words: what a field allows, and `docs/configuration.md`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

_KINDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    SecretStr: "text (secret)",
    Path: "a path",
    tuple[str, ...]: "words, comma between",
}


@dataclass(frozen=True)
class SettingRow:
    """One setting as the documentation shows it."""

    variable: str
    allowed: str
    default: str
    description: str


def describe(settings_class: type[BaseModel]) -> list[SettingRow]:
    """Every setting of a class, in the order of its fields."""
    return [
        SettingRow(name.upper(), allowed(field), _default(field), field.description or "")
        for name, field in settings_class.model_fields.items()
    ]


def render_configuration(services: Mapping[str, type[BaseModel]]) -> str:
    """`docs/configuration.md`: one table a service, by name. Settings all share come first, once."""
    tables = {name: describe(settings_class) for name, settings_class in services.items()}
    shared = [row for row in next(iter(tables.values()), []) if all(row in rows for rows in tables.values())]
    parts = ["# Configuration", "", "Generated from the `settings.py` of each service. Environment variables."]
    parts += _table("Every service", shared)
    for name, rows in tables.items():
        parts += _table(name, [row for row in rows if row not in shared])
    return "\n".join(parts) + "\n"


def allowed(field: FieldInfo) -> str:
    """What a value may be, for people: kind and bounds, or the choices."""
    choices = _choices(field.annotation)
    if choices:
        return "one of " + ", ".join(choices)
    kind = _KINDS.get(_bare(field.annotation), "text")
    bounds = [text for limit in field.metadata if (text := _bound(limit))]
    return " ".join([kind, *bounds])


def is_secret(field: FieldInfo) -> bool:
    """Whether the value may be shown nowhere."""
    return _bare(field.annotation) is SecretStr


def _bare(annotation: object) -> object:
    """The type behind `X | None`."""
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    return kinds[0] if len(kinds) == 1 and NoneType in get_args(annotation) else annotation


def _choices(annotation: object) -> list[str]:
    bare = _bare(annotation)
    if get_origin(bare) is Literal:
        return [str(choice) for choice in get_args(bare)]
    if isinstance(bare, type) and issubclass(bare, Enum):
        return [str(member.value) for member in bare]
    return []


def _bound(limit: object) -> str:
    words = ""
    match limit:
        case Ge(least):
            words = f"from {least}"
        case Gt(least):
            words = f"above {least}"
        case Le(most):
            words = f"to {most}"
        case Lt(most):
            words = f"below {most}"
        case MinLen(least):
            words = f"of at least {least} characters" if least > 1 else "not empty"
        case MaxLen(most):
            words = f"of at most {most} characters"
        case _ if pattern := getattr(limit, "pattern", None):
            words = f"matching `{pattern}`"
    return words


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "(required)"
    if field.default_factory is not None:
        return "(made at start)"
    if is_secret(field):
        return "***"
    return "(none)" if field.default is None else str(field.default)


def _table(title: str, rows: list[SettingRow]) -> list[str]:
    if not rows:
        return []
    head = ["", f"## {title}", "", "| variable | allowed | default | meaning |", "| --- | --- | --- | --- |"]
    cells = [(f"`{row.variable}`", row.allowed, row.default, row.description) for row in rows]
    return head + ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in cells]
