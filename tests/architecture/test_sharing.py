"""List pictures and templates leave by one way: `signpost share export`. Who opens them, who writes files, which
calls answer with bytes, and who may sign, is enumerated here: a new one is looked at before it is allowed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from services.contracts.authorisation.enums import Role
from services.contracts.sharing.statements import KINDS, AgreementEnded, AgreementMade, ShareMade
from services.review.edges.grpc_review import SERVICE as REVIEW
from signpost.v1 import enrolment_pb2, oversight_pb2, review_pb2
from tests.architecture.imports import ROOT, Source, sources

# What gives a list's content in clear (services/contracts/sealed/bundle/read.py), and who asks for it.
_OPENING = {"pictures", "templates", "fillers", "draft_of"}
OPENERS = {
    # The list itself.
    "services/contracts/sealed/bundle/read.py": {"templates", "fillers"},
    # Into memory, to be searched.
    "services/match/edges/list_redis.py": {"templates", "fillers"},
    # To the holder of a claim, once the view is in the audit chain.
    "services/review/edges/references_redis.py": {"pictures"},
    # What two people sign: looked at by the rules, written by nobody.
    "console/watchlist/sealing.py": {"draft_of"},
    "console/commands/watchlist.py": {"draft_of"},
    # The way out.
    "console/sharing/export.py": {"pictures"},
}
# Names of other things that are called so.
_OTHERS = {"frame", "self", "keeping"}

_WRITING = {"write_bytes", "write_private_bytes", "imwrite", "tofile", "save", "savez"}
WRITERS = {
    "console/commands/authority.py",  # a document, to the byte that is signed
    "console/edges/private_file.py",  # the file itself
    "console/sharing/export.py",  # marked pictures, after the share is recorded
    "console/sharing/taking.py",  # another body's, after the share is recorded
    "console/watchlist/storing.py",  # drafts and sealed lists: every part of them is encrypted
}

# Calls that answer with bytes.
ANSWERS = {
    (REVIEW, "ViewPicture"),  # one picture, once, for the holder of a claim
    ("signpost.v1.Enrolment", "Enrol"),  # what was made of the very picture that was sent
    ("signpost.v1.OversightService", "Show"),  # a document, and heads of chains
}


def opened_by(source: Source) -> set[str]:
    """What of a list's content a module asks for."""
    found = set()
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name, value=of)) if name in _OPENING:
                if not (isinstance(of, ast.Name) and of.id in _OTHERS):
                    found.add(name)
            case ast.Call(func=ast.Name(id=name)) if name in _OPENING and name == "draft_of":
                found.add(name)
    return found


def written_by(source: Source) -> set[str]:
    """How a module writes bytes to files."""
    found = set()
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)) if name in _WRITING:
                found.add(name)
            case ast.FunctionDef(name="write_private_bytes"):
                found.add(node.name)
    return found


def of_the_product(top: str = "") -> Iterator[Source]:
    yield from (source for source in sources(ROOT) if str(source.path).startswith(top or ("services", "console")))


def has_bytes(message: Descriptor, seen: frozenset[str] = frozenset()) -> bool:
    if message.full_name in seen:
        return False
    return any(
        field.type == FieldDescriptor.TYPE_BYTES
        or (field.message_type is not None and has_bytes(field.message_type, seen | {message.full_name}))
        for field in message.fields
    )


def test_nobody_else_opens_a_lists_content() -> None:
    found = {str(source.path): opened for source in of_the_product() if (opened := opened_by(source))}
    assert found == OPENERS


def test_a_module_that_opens_it_is_found() -> None:
    code = "def leak(contents, entry, own):\n    return contents.pictures(entry, own)\n"
    assert opened_by(Source(ROOT / "x.py", ast.parse(code))) == {"pictures"}  # type: ignore[arg-type]
    assert written_by(Source(ROOT / "x.py", ast.parse("path.write_bytes(b'')"))) == {"write_bytes"}  # type: ignore[arg-type]


def test_nobody_else_of_the_command_line_writes_bytes_and_of_those_who_open_it_the_export_alone() -> None:
    writers = {str(source.path) for source in of_the_product("console") if written_by(source)}
    assert writers == WRITERS
    assert writers & OPENERS.keys() == {"console/sharing/export.py"}


def test_no_service_that_opens_a_list_writes_a_file() -> None:
    openers = [source for source in of_the_product("services") if str(source.path) in OPENERS]
    assert len(openers) == 3
    assert not [source.path for source in openers if written_by(source)]


def test_the_export_has_one_door() -> None:
    users = {
        str(source.path)
        for source in of_the_product()
        if any(used.is_of("console.sharing.export") for used in source.imports())
    }
    assert users == {"console/commands/share.py"}


def test_no_other_call_answers_with_bytes() -> None:
    found = {
        (service.full_name, method.name)
        for file in (review_pb2, oversight_pb2, enrolment_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if has_bytes(method.output_type)
    }
    assert found == ANSWERS


def test_one_role_shares_another_agrees_and_no_service_does_either() -> None:
    assert {Role.LIST_MANAGER} == ShareMade.SIGNERS
    assert AgreementMade.SIGNERS == AgreementEnded.SIGNERS == {Role.SHARING_APPROVER}
    assert not any(kind.SIGNERS & {Role.OVERSIGHT, Role.SERVICE} for kind in KINDS)
