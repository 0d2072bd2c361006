"""No setting reaches a cipher that hides nothing or a verifier that believes everything: there is none to reach.

mypy holds whatever is passed on as a cipher, a standing or a verifier to its type. So it is enough that our own
code has one of each, gets nothing from outside by name, and that an entry point chooses nothing. Null ones live
under tests/ and are passed to `build()` by who measures (issue 4, Shows 7).
"""

from __future__ import annotations

import ast
import re
import typing
from collections.abc import Iterator
from pathlib import PurePosixPath
from types import UnionType

import pydantic
import pytest

from scripts.discover import settings_classes
from tests.architecture.imports import ROOT, Source, sources

# The methods of each port, with how many arguments they are called; a class that has them is one more of its kind.
_PORTS = ({"seal": 3, "open": 3}, {"standing": 0, "refusal": 1, "refusal_of_alert": 0, "revoked": 1})
_THE_ONES = {
    "services/runtime/keys/cipher.py::AesGcm",
    "services/contracts/standing.py::GateStanding",
    "services/runtime/keys/ed25519.py::verify",
}
_KIN = {"AesGcm", "Gate", "GateStanding", "Guards", "Keyring"}
_GUARDS = "services/runtime/guards.py"
_BY_NAME = ("importlib.import_module", "runpy", "pickle", "pydantic.ImportString")
_RUN_TEXT = ("eval", "exec", "__import__")
_SWITCH = re.compile(r"insecure|unsafe|disable|skip|bypass|verif|encrypt|cipher|plain|null|check", re.IGNORECASE)
_OFF = re.compile(r"^(none|null|no|off|false|0|plain|plaintext|insecure|disabled|skip)$", re.IGNORECASE)


def stand_ins(source: Source) -> Iterator[str]:
    """Whatever in one file could be passed on as a cipher, a standing or a verifier."""
    for node in _outside_protocols(source.tree):
        match node:
            case ast.ClassDef(bases=bases):
                methods = {part.name: _asked(part) for part in node.body if isinstance(part, ast.FunctionDef)}
                kin = {ast.unparse(base).split(".")[-1] for base in bases} & _KIN
                if kin or any(port.items() <= methods.items() for port in _PORTS):
                    yield f"{source.path}::{node.name}"
            case ast.FunctionDef(returns=ast.Name("bool")) if _of_three_bytes(node.args):
                yield f"{source.path}::{node.name}"
            case ast.Lambda(args=args) if len(args.args) == 3:
                yield f"{source.path}::{ast.unparse(node)}"


def _outside_protocols(tree: ast.AST) -> Iterator[ast.AST]:
    """A protocol says what there should be, and is none."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.ClassDef) and "Protocol" in map(ast.unparse, node.bases)):
            yield node
            yield from _outside_protocols(node)


def _asked(method: ast.FunctionDef) -> int:
    return len(method.args.posonlyargs) + len(method.args.args) - 1


def _of_three_bytes(args: ast.arguments) -> bool:
    """As `Verify` is called: key, signature, message."""
    named = [ast.unparse(one.annotation) for one in args.args if one.annotation]
    return named == ["bytes"] * 3 and not args.kwonlyargs


def brought_in_by_name(source: Source) -> Iterator[str]:
    """Code that a text could choose: a setting, an environment variable, a record."""
    for used in source.imports():
        if used.is_of(*_BY_NAME, "tests"):
            yield f"{source.path}:{used.line}: imports {used.name}"
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in _RUN_TEXT:
                yield f"{source.path}:{node.lineno}: calls {name}"
            case ast.Attribute(attr="import_module"):
                yield f"{source.path}:{node.lineno}: calls {ast.unparse(node)}"


def chosen_at_the_door(source: Source) -> Iterator[str]:
    """An entry point says name, settings and `build`, and nothing else."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("process"), attr="run"), args=args, keywords=keywords):
                told = [type(one) for one in args]
                if keywords or told != [ast.Constant, ast.Name, ast.Name]:
                    yield f"{source.path}:{node.lineno}: {ast.unparse(node)}"


def chosen_guards(source: Source) -> Iterator[str]:
    """Guards that were made, changed or picked: they come from who calls, and by default are the real ones."""
    knows_them = any(used.is_of("services.runtime.guards") for used in source.imports())
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=func, keywords=keywords):
                called = ast.unparse(func).split(".")[-1]
                given = {word.arg: ast.unparse(word.value) for word in keywords}
                if called == "Guards" and (str(source.path) != _GUARDS or node.args or keywords):
                    yield f"{source.path}:{node.lineno}: makes guards"
                if given.get("guards", "guards") != "guards":
                    yield f"{source.path}:{node.lineno}: chooses guards={given['guards']}"
                if called == "build_supervisor" and "host" in given:
                    yield f"{source.path}:{node.lineno}: chooses what an actor hosts"
            case ast.FunctionDef(args=args):
                defaults = zip(args.kwonlyargs, args.kw_defaults, strict=True)
                told = {one.arg: ast.unparse(default) for one, default in defaults if default is not None}
                if told.get("guards", "REAL") != "REAL":
                    yield f"{source.path}:{node.lineno}: has guards={told['guards']} as a default"
            case ast.Name(id="guards", ctx=ast.Store()) | ast.Name(id="REAL", ctx=ast.Store()):
                if knows_them:
                    yield f"{source.path}:{node.lineno}: sets {node.id}"


def switches(settings: type[pydantic.BaseModel]) -> Iterator[str]:
    """Fields that could switch something off, by name, by type or by one of their values."""
    for name, field in settings.model_fields.items():
        kinds = list(_kinds(field.annotation))
        if (
            _SWITCH.search(name)
            or bool in kinds
            or any(callable(kind) and not isinstance(kind, type) for kind in kinds)
        ):
            yield name
        yield from (f"{name}={kind}" for kind in kinds if isinstance(kind, str) and _OFF.match(kind))


def _kinds(annotation: object) -> Iterator[object]:
    """The plain types and literal values that an annotation is made of."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        yield from _kinds(arguments[0])
    elif typing.get_origin(annotation) is typing.Literal:
        yield from arguments
    elif isinstance(annotation, UnionType) or arguments:
        for one in arguments:
            yield from _kinds(one)
    else:
        yield annotation


OURS = sources(ROOT)
SERVICES = [source for source in OURS if source.path.parts[0] == "services"]


def test_there_is_one_cipher_one_gate_and_one_verifier() -> None:
    assert {found for source in OURS for found in stand_ins(source)} == _THE_ONES


def test_no_text_chooses_what_code_runs() -> None:
    assert [found for source in SERVICES for found in brought_in_by_name(source)] == []


def test_nothing_outside_the_tests_imports_one_of_theirs() -> None:
    assert [used.name for source in OURS for used in source.imports() if used.is_of("tests")] == []


def test_an_entry_point_chooses_nothing() -> None:
    assert [found for source in SERVICES for found in chosen_at_the_door(source)] == []
    doors = [source for source in SERVICES if "process.run(" in ast.unparse(source.tree)]
    assert len(doors) > 5


def test_guards_are_passed_on_and_never_chosen() -> None:
    assert [found for source in OURS for found in chosen_guards(source)] == []
    handed_on = [source for source in SERVICES if "guards=guards" in ast.unparse(source.tree)]
    assert len(handed_on) > 2


@pytest.mark.parametrize("kind", settings_classes())
def test_no_setting_switches_anything_off(kind: str) -> None:
    assert list(switches(settings_classes()[kind])) == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (stand_ins, "class Clear:\n def seal(self, key, text, aad): ...\n def open(self, key, text, aad): ..."),
        (stand_ins, "class Clear(AesGcm):\n pass"),
        (
            stand_ins,
            "class Open:\n def standing(self): ...\n def refusal(self, camera, /): ...\n"
            " def refusal_of_alert(self, *, tokens): ...\n def revoked(self, digest, /): ...",
        ),
        (stand_ins, "class Open(standing.GateStanding):\n def refusal(self): return None"),
        (stand_ins, "def believe(a: bytes, b: bytes, c: bytes) -> bool: return True"),
        (stand_ins, "Chain(registry, verify=lambda key, signature, message: True)"),
        (brought_in_by_name, "from importlib import import_module"),
        (brought_in_by_name, "import importlib\nimportlib.import_module(settings.cipher)"),
        (brought_in_by_name, "__import__(name)"),
        (brought_in_by_name, "from tests.fakes.standing import Standing"),
        (chosen_at_the_door, "process.run('match', MatchSettings, partial(build, cipher=Clear()))"),
        (chosen_at_the_door, "process.run('match', MatchSettings, build, environ={})"),
        (stand_ins, "class Open(Keyring):\n def find(self, spec): return Found(bytes(32))"),
        (chosen_guards, "build(settings, context, guards=Guards(cipher=AesGcm()))"),
        (chosen_guards, "build(settings, context, guards=GUARDS[settings.mode])"),
        (chosen_guards, "from services.runtime.guards import Guards\nguards = replace(guards, cipher=found)"),
        (chosen_guards, "def build(settings, context, *, guards=OTHERS): ..."),
        (chosen_guards, "build_supervisor(settings, context, host=settings.host)"),
    ],
)
def test_what_each_rule_forbids_is_found(rule: typing.Callable[[Source], Iterator[str]], text: str) -> None:
    assert list(rule(Source(PurePosixPath("services/match/sample.py"), ast.parse(text))))


class Careless(pydantic.BaseModel):
    """Settings that nobody may have."""

    insecure_port: int = 0
    wait: bool = True
    mode: typing.Literal["token", "off"] | None = None
    level: str = "INFO"


def test_each_kind_of_switch_is_found() -> None:
    assert list(switches(Careless)) == ["insecure_port", "wait", "mode=off"]
