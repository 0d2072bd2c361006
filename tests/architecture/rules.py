"""Who may import what: the arrow of dependency and the doors, as rules over one source file each."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatch

from tests.architecture.imports import Import, Source

SHARED = ("contracts", "runtime")

# Within a service: which of its own layers a layer may use. A module beside pipeline.py counts as
# part of the story it tells.
_LAYERS: Mapping[str, frozenset[str]] = {
    "core": frozenset({"core"}),
    "model": frozenset({"core", "model"}),
    "ports": frozenset({"core", "model", "ports"}),
    "metrics": frozenset({"core", "metrics"}),
    "settings": frozenset({"core", "model", "settings"}),
    "story": frozenset({"core", "model", "ports", "metrics", "settings", "story"}),
    "edges": frozenset({"core", "model", "ports", "metrics", "settings", "edges"}),
    "wiring": frozenset({"core", "model", "ports", "metrics", "settings", "story", "edges", "wiring"}),
    "__main__": frozenset({"settings", "wiring"}),
    # Further entry points of embed: its second server, and the head that its actors live under.
    "enrol": frozenset({"settings", "wiring"}),
    "ray_head": frozenset({"settings", "wiring"}),
}
# What a layer may use of the runtime; edges, wiring and __main__ use all of it. The story and the
# ports may name its values and ports, which do no I/O by themselves.
_VALUES_AND_PORTS = (
    "services.runtime.clock",
    "services.runtime.doors.fair",
    "services.runtime.doors.peers",
    "services.runtime.keys.port",
    "services.runtime.keys.ring",
    "services.runtime.kafka.types",
)
_RUNTIME: Mapping[str, tuple[str, ...]] = {
    "core": (),
    "model": (),
    "ports": _VALUES_AND_PORTS,
    "metrics": (
        "services.runtime.metrics",
        "services.runtime.authority_figures",
        "services.runtime.doors.figures",
        "services.runtime.kafka.figures",
        "services.runtime.kafka.signals.ResetReason",
    ),
    "settings": ("services.runtime.settings",),
    "story": (*_VALUES_AND_PORTS, "services.runtime.retry"),
}
_CONTRACTS_MAY = ("numpy", "google.protobuf", "yaml", "signpost", "services.contracts")
# Exact predicates on polygons, in bounded time (docs/adr/0011).
_GEOMETRY_DOORS = ("services/contracts/authorisation/geometry.py",)
# What people write or sign is checked field by field.
_PYDANTIC_DOORS = (
    "services/contracts/authority.py",
    "services/contracts/cameras_file.py",
    "services/contracts/authorisation/fields.py",
    "services/contracts/authorisation/document.py",
    "services/contracts/authorisation/purging.py",
    "services/contracts/authorisation/registry.py",
    "services/contracts/authorisation/statements.py",
    "services/contracts/sharing/statements.py",
)
# Where signatures are made and checked.
_SIGNING_DOORS = ("services/contracts/authorisation/signing.py",)
_PB2_DOORS = (
    "services/contracts/codec*.py",
    "services/*/edges/grpc_*.py",
    "services/runtime/doors/grpc_server.py",  # health, of every gRPC server
    "console/grpc_*.py",
    "console/*/grpc_*.py",
)
_DOORS = {
    "torch": ("services/embed/model/*",),
    "ray": ("services/embed/edges/ray_fleet.py",),
    # Strangers' photographs are decoded in a process of their own.
    "PIL": ("services/embed/edges/photo_decode.py",),
    "pi_heif": ("services/embed/edges/photo_decode.py",),
}
_SETTINGS = "services/runtime/settings.py"
_MAIN_LINES = 15

Rule = Callable[[Source], Iterator[str]]


def violations(source: Source) -> list[str]:
    """Every break of a rule in one file, as "path:line: what"."""
    return [f"{source.path}:{what}" for rule in RULES for what in rule(source)]


def no_service_imports_another(source: Source) -> Iterator[str]:
    own = service_of(source)
    if own is None:
        return
    for used in source.imports():
        other = _service_in(used)
        if other not in (None, own, *SHARED):
            yield f"{used.line}: {own} imports {used.name}; services meet only through contracts"
        if used.is_of("console", "evaluation", "tests"):
            yield f"{used.line}: a service imports {used.name}"


def one_arrow_within_a_service(source: Source) -> Iterator[str]:
    own = service_of(source)
    if own is None or own in SHARED:
        return
    layer = layer_of(source.module)
    for used in source.imports():
        if not used.is_of(f"services.{own}"):
            continue
        to = layer_of(used.name)
        if to not in _LAYERS[layer]:
            yield f"{used.line}: {layer} imports {used.name}; it may use its service's {sorted(_LAYERS[layer])}"


def runtime_only_where_it_may_be(source: Source) -> Iterator[str]:
    own = service_of(source)
    if own is None or own in SHARED:
        return
    layer = layer_of(source.module)
    for used in source.imports():
        if used.is_of("services.runtime") and layer in _RUNTIME and not used.is_of(*_RUNTIME[layer]):
            yield f"{used.line}: {layer} imports {used.name}; edges and wiring may, {layer} may not"


def core_is_pure(source: Source) -> Iterator[str]:
    own = service_of(source)
    if own is None or own in SHARED or layer_of(source.module) != "core":
        return
    for used in source.imports():
        if not (_standard(used) or used.is_of("numpy", "services")):
            yield f"{used.line}: core imports {used.name}; it may use the standard library, numpy, contracts"


def contracts_are_pure(source: Source) -> Iterator[str]:
    if service_of(source) != "contracts":
        return
    may = (
        *_CONTRACTS_MAY,
        *(("pydantic",) if _through(source, _PYDANTIC_DOORS) else ()),
        *(("shapely",) if _through(source, _GEOMETRY_DOORS) else ()),
        *(("joserfc", "cryptography") if _through(source, _SIGNING_DOORS) else ()),
    )
    for used in source.imports():
        if not (_standard(used) or used.is_of(*may)):
            yield f"{used.line}: contracts import {used.name}"


def runtime_knows_no_service(source: Source) -> Iterator[str]:
    if service_of(source) != "runtime":
        return
    for used in source.imports():
        if used.is_of("services") and not used.is_of("services.runtime", "services.contracts"):
            yield f"{used.line}: runtime imports {used.name}"


def the_console_stays_outside(source: Source) -> Iterator[str]:
    if source.path.parts[0] != "console":
        return
    for used in source.imports():
        if _service_in(used) not in (None, *SHARED):
            yield f"{used.line}: console imports {used.name}; it speaks gRPC and contracts"


def evaluation_measures_pure_code(source: Source) -> Iterator[str]:
    if source.path.parts[0] != "evaluation":
        return
    for used in source.imports():
        service = _service_in(used)
        if service not in (None, *SHARED) and layer_of(used.name) not in ("core", "model"):
            yield f"{used.line}: evaluation imports {used.name}; it may use core and model"


def generated_code_has_its_doors(source: Source) -> Iterator[str]:
    if any(fnmatch(str(source.path), door) for door in _PB2_DOORS):
        return
    for used in source.imports():
        if used.is_of("signpost") or any(part.endswith(("_pb2", "_pb2_grpc")) for part in used.name.split(".")):
            yield f"{used.line}: imports {used.name}; only codecs and edges/grpc_*.py do"


def heavy_libraries_have_one_door(source: Source) -> Iterator[str]:
    for used in source.imports():
        for library, doors in _DOORS.items():
            if used.is_of(library) and not any(fnmatch(str(source.path), door) for door in doors):
                yield f"{used.line}: imports {used.name}; {library}'s only door is {doors[0]}"


def the_environment_is_read_in_one_place(source: Source) -> Iterator[str]:
    if source.path.parts[0] != "services" or str(source.path) == _SETTINGS:
        return
    for used in source.imports():
        if used.is_of("os.environ", "os.environb", "os.getenv"):
            yield f"{used.line}: imports {used.name}; settings come through runtime"
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "os"
            and node.attr in ("environ", "environb", "getenv")
        ):
            yield f"{node.lineno}: uses os.{node.attr}; settings come through runtime"


def a_main_is_short(source: Source) -> Iterator[str]:
    if source.path.name != "__main__.py" or source.path.parts[0] != "services":
        return
    last = max((node.end_lineno or 0 for node in source.tree.body), default=0)
    if last > _MAIN_LINES:
        yield f"{last}: an entry point has at most {_MAIN_LINES} lines"


RULES: tuple[Rule, ...] = (
    no_service_imports_another,
    one_arrow_within_a_service,
    runtime_only_where_it_may_be,
    core_is_pure,
    contracts_are_pure,
    runtime_knows_no_service,
    the_console_stays_outside,
    evaluation_measures_pure_code,
    generated_code_has_its_doors,
    heavy_libraries_have_one_door,
    the_environment_is_read_in_one_place,
    a_main_is_short,
)


def service_of(source: Source) -> str | None:
    """The package under services/ that a file belongs to (the shared two included), if any."""
    parts = source.path.parts
    return parts[1] if parts[0] == "services" and len(parts) > 2 else None


def layer_of(module: str) -> str:
    """The layer of a module of a service: "services.match.core.search" is core."""
    parts = module.split(".")
    name = parts[2] if len(parts) > 2 else ""
    return name if name in _LAYERS else "story"


def _service_in(used: Import) -> str | None:
    parts = used.name.split(".")
    return parts[1] if parts[0] == "services" and len(parts) > 1 else None


def _through(source: Source, doors: tuple[str, ...]) -> bool:
    return any(fnmatch(str(source.path), door) for door in doors)


def _standard(used: Import) -> bool:
    return used.name.split(".")[0] in sys.stdlib_module_names
