"""`signpost watchlist` from pictures to a list in Redis: what is written, who must sign it, exit codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import redis
import yaml
from typer.testing import CliRunner, Result

from console.authority import files, first_draft
from console.authority.first_draft import FirstCamera, FirstList, Who
from console.authority.key_file import write_key
from console.commands.watchlist import app
from console.edges.grpc_enrolment import GrpcEnrolment
from console.run.sample_authority import SampleAuthority
from console.watchlist import storing
from console.watchlist.enrolment import Refused
from services.contracts import lists
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.registry import open_registry
from services.contracts.authority import SourceKind
from services.contracts.errors import Misconfigured
from services.contracts.events import ScoreKind
from services.contracts.sealed.bundle.read import Bundle, Contents, open_draft, open_parts
from services.contracts.sealed.manifest import Manifest
from services.contracts.sealed.seal import check_manifest, parse_seal
from signpost.v1 import oversight_pb2 as pb
from tests.integration.console.grpc_toy import toy_server
from tests.integration.console.test_oversight_client import Register, serving
from tests.unit.console.watchlist.toy import ToyEnrolment, entry_of, write_subject

DEPLOYMENT = "oxford-street-1"


class Named(Register):
    """An oversight that knows one document, and of nothing shared."""

    def __init__(self, document: Document) -> None:
        super().__init__(lambda context, call: None)
        self._document = document

    def Show(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - generated
        view = pb.AuthorityView(deployment=self._document.id)
        named = pb.VersionView(authority=view, document=self._document.canonical_bytes())
        return pb.ShowResponse(versions=[named])

    def ShowSharing(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - generated
        return pb.SharingView(organisation=self._document.organisation)


class Desk:
    """A list manager's desk: a folder of subjects, an authority's draft, keys, and the command."""

    def __init__(self, folder: Path, redis_url: str, address: str) -> None:
        self.now = datetime.now(UTC)
        self.folder = folder
        self.subjects = folder / "subjects"
        self.keys = folder / "keys"
        self.draft = folder / "list.draft"
        self.bundle = folder / "list.splist"
        self._file = folder / "draft.yaml"
        self.redis_url = redis_url
        self.address = address
        self.sample = SampleAuthority.begin(organisation="club", author="p-1", now=self.now)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "registry.jws").write_text(self.sample.registry())
        for role in (Role.LIST_MANAGER, Role.AUTHORISING_OFFICER, Role.REVIEWER):
            write_key(self.key(role), self.sample.secrets[role])
        self.deploy()

    def key(self, role: Role) -> Path:
        return self.folder / f"{role}.pem"

    def deploy(self, **watchlist: Any) -> None:
        draft = first_draft.exercise(
            DEPLOYMENT,
            [FirstCamera("gate-1", SourceKind.FOLDER)],
            FirstList(id="blue-list", max_entries=10, score_kind=ScoreKind.RAW),
            who=Who(organisation="club", author="p-1", accountable_person="p-2"),
            papers=files.papers_path(self._file).name,
            now=self.now,
            lasts=timedelta(hours=1),
        )
        draft["watchlist"] |= {"thresholds": {1: 0.5}} | watchlist
        files.write_first(self._file, draft, first_draft.stubs(DEPLOYMENT))

    def subject(self, name: str, *pictures: str, **changes: Any) -> Path:
        return write_subject(self.subjects, name, pictures, now=self.now, **changes)

    def build(self, *options: str) -> Result:
        return self.run(
            "build",
            str(self.subjects),
            f"--draft={self._file}",
            f"--out={self.draft}",
            f"--enrolment={self.address}",
            *options,
        )

    def approve(self, role: Role, *options: str) -> Result:
        token = f"--out={self.folder / f'{role}.token'}"
        chosen = options or (f"--digest={self.manifest().digest}",)
        return self.run("approve", str(self.draft), f"--key={self.key(role)}", token, *chosen)

    def seal(self, *roles: Role) -> Result:
        signatures = (f"--signature={self.folder / f'{role}.token'}" for role in roles)
        return self.run(
            "seal",
            str(self.draft),
            *signatures,
            f"--key={self.key(Role.LIST_MANAGER)}",
            f"--out={self.bundle}",
            *self.trust(),
        )

    def sealed(self, *options: str) -> None:
        """Built, signed by both and sealed."""
        assert self.build(*options).exit_code == 0
        for role in (Role.LIST_MANAGER, Role.AUTHORISING_OFFICER):
            assert self.approve(role).exit_code == 0
        done = self.seal(Role.LIST_MANAGER, Role.AUTHORISING_OFFICER)
        assert done.exit_code == 0, done.output

    def check(self, path: Path) -> Result:
        return self.run("check", str(path), *self.trust())

    def load(self, document: Document | None = None) -> Result:
        named = document or self.document()
        with serving(Named(named)) as oversight:
            return self.run(
                "load",
                str(self.bundle),
                f"--oversight={oversight}",
                f"--redis-durable-url={self.redis_url}",
                *self.trust(),
            )

    def trust(self) -> tuple[str, str]:
        return f"--registry={self.folder / 'registry.jws'}", f"--root={self.sample.root_fingerprint}"

    def run(self, word: str, *words: str) -> Result:
        keys = () if word == "cards" else (f"--keys-dir={self.keys}",)
        return CliRunner().invoke(app, [word, *words, *keys])

    def document(self) -> Document:
        return files.read_draft(self._file).document(files.read_facts(self.bundle.with_suffix(".list.yaml")))

    def contents(self) -> Contents:
        return open_draft(self.draft.read_bytes())

    def manifest(self) -> Manifest:
        found = self.contents()
        return found.manifest(storing.sealing_of(found, self.keys))

    def loaded(self) -> Bundle:
        """The list as match finds it."""
        digest = files.read_facts(self.bundle.with_suffix(".list.yaml")).digest
        with closing(redis.Redis.from_url(self.redis_url)) as client:
            names = {name.decode(): client.get(name) for name in client.scan_iter()}
        front = names[lists.front(DEPLOYMENT, digest)]
        assert isinstance(front, bytes)

        def fetch(name: str) -> bytes | None:
            found = names.get(lists.part(DEPLOYMENT, digest, name))
            return found if isinstance(found, bytes) else None

        registry = open_registry(self.sample.registry(), root_fingerprint=self.sample.root_fingerprint)
        return open_parts(front, fetch, registry=registry, now=datetime.now(UTC))


@pytest.fixture
def address() -> Iterator[str]:
    with toy_server(ToyEnrolment()) as address:
        yield address


@pytest.fixture
def desk(tmp_path: Path, redis_durable: str, address: str) -> Desk:
    return Desk(tmp_path, redis_durable, address)


def test_pictures_become_the_list_that_match_and_review_open(desk: Desk) -> None:
    desk.subject("anna", "anna/1", "anna/2")
    desk.subject("berta", "berta/1", "!no_face")
    desk.sealed()
    done = desk.load()
    assert done.exit_code == 0, done.output
    contents = desk.loaded().contents
    contents.check()
    own = storing.sealing_of(contents, desk.keys)
    of = contents.manifest(own)
    assert f"loaded {of.digest}: 2 entries" in done.output
    anna = of.by_id[entry_of("anna")]
    assert {jpeg for jpeg in contents.pictures(anna, own)} == {b"\xff\xd8anna/1", b"\xff\xd8anna/2"}
    assert contents.templates(of, own)[entry_of("berta")].shape == (1, 128)


def test_nothing_of_a_subject_lies_anywhere_in_clear_but_in_the_manifest(desk: Desk) -> None:
    desk.subject("anna", "anna/1")
    desk.sealed()
    assert desk.load().exit_code == 0
    with closing(redis.Redis.from_url(desk.redis_url)) as client:
        held = [(name, client.get(name) or b"") for name in client.scan_iter()]
    text = b"\n".join(part for pair in held for part in pair if isinstance(part, bytes))
    text += desk.draft.read_bytes() + desk.bundle.read_bytes() + desk.bundle.with_suffix(".seal").read_bytes()
    for word in (b"anna", b"ref-", b"volunteer", b"consent"):
        assert word not in text
    for suffix in (".splist", ".manifest", ".seal"):
        assert desk.bundle.with_suffix(suffix).stat().st_mode & 0o777 == 0o600


def test_the_manifest_and_its_seal_are_checked_by_themselves_when_all_else_is_gone(desk: Desk) -> None:
    desk.subject("anna", "anna/1")
    desk.sealed()
    registry = open_registry(desk.sample.registry(), root_fingerprint=desk.sample.root_fingerprint)
    seal = parse_seal(desk.bundle.with_suffix(".seal").read_bytes())
    raw = desk.bundle.with_suffix(".manifest").read_bytes()
    assert check_manifest(raw, seal, registry, now=datetime.now(UTC)).digest == seal.digest


def test_the_table_says_what_became_of_each_picture(desk: Desk) -> None:
    desk.subject("anna", "anna/1", "!too_small", "berta/7", "anna/2")
    output = desk.build().output
    assert "2.jpg: too_small (as the toy says)" in output
    assert "3.jpg: does_not_match_others" in output


def test_one_person_listed_twice_is_named_and_neither_signed_nor_sealed(desk: Desk) -> None:
    desk.subject("anna", "anna/1")
    desk.subject("anna-again", "anna/2")
    result = desk.build()
    assert result.exit_code == 1
    assert "they may be one person" in result.output
    assert desk.draft.exists(), "what is wrong with it can be looked at"
    assert desk.check(desk.draft).exit_code == 1
    signed = desk.approve(Role.LIST_MANAGER)
    assert signed.exit_code == 1
    assert "[C-33]" in signed.output
    one, other = sorted((entry_of("anna"), entry_of("anna-again")))
    said = {
        "pair": {"one": one, "other": other},
        "verdict": "distinct_persons",
        "by": "p-3",
        "at": desk.now.isoformat(),
        "grounds": "two birth certificates",
    }
    (desk.subjects / "resolutions.yaml").write_text(yaml.safe_dump([said]))
    desk.sealed()


def test_what_breaks_a_rule_is_told_by_entry_field_and_control(desk: Desk) -> None:
    desk.subject("anna", "anna/1", approved_by="p-1")
    result = desk.build()
    assert result.exit_code == 1
    line = f"entry {entry_of('anna')}: approved_by: must be another person than added_by [C-24]"
    assert f"NOT TO BE SEALED: {line} (folder anna)" in result.output
    assert "nothing was enrolled" in result.output
    assert not desk.draft.exists()


@pytest.mark.parametrize(
    "roles",
    [
        (Role.LIST_MANAGER,),
        (Role.AUTHORISING_OFFICER,),
        (Role.LIST_MANAGER, Role.LIST_MANAGER),
        (Role.LIST_MANAGER, Role.REVIEWER),
    ],
    ids=str,
)
def test_one_person_alone_seals_nothing(desk: Desk, roles: tuple[Role, ...]) -> None:
    desk.subject("anna", "anna/1")
    assert desk.build().exit_code == 0
    for role in set(roles):
        assert desk.approve(role).exit_code == 0
    refused = desk.seal(*roles)
    assert refused.exit_code == 1
    assert "list: signatures: must be two" in refused.output
    assert not desk.bundle.exists()


def test_what_two_people_signed_is_not_the_list_that_was_built_afterwards(desk: Desk) -> None:
    desk.subject("anna", "anna/1")
    assert desk.build().exit_code == 0
    for role in (Role.LIST_MANAGER, Role.AUTHORISING_OFFICER):
        assert desk.approve(role).exit_code == 0
    desk.subject("berta", "berta/1")
    assert desk.build().exit_code == 0
    refused = desk.seal(Role.LIST_MANAGER, Role.AUTHORISING_OFFICER)
    assert refused.exit_code == 1
    assert "must be under this list" in refused.output


def test_nobody_signs_what_they_have_not_looked_at(desk: Desk) -> None:
    desk.subject("anna", "anna/1")
    assert desk.build().exit_code == 0
    other = desk.approve(Role.LIST_MANAGER, f"--digest={'0' * 64}")
    assert (other.exit_code, "its digest is" in other.output) == (2, True)


def test_one_altered_byte_is_found_and_the_part_named(desk: Desk) -> None:
    desk.subject("anna", "anna/1")
    desk.sealed()
    assert desk.check(desk.bundle).exit_code == 0
    raw = bytearray(desk.bundle.read_bytes())
    raw[-5] ^= 1  # in the last part: the pictures of the last entry
    desk.bundle.write_bytes(raw)
    for done in (desk.check(desk.bundle), desk.load()):
        assert done.exit_code == 1
        assert f"ALTERED: pictures {entry_of('anna')}" in done.output


@pytest.mark.parametrize(
    ("change", "field"),
    [({"digest": "0" * 64}, "digest"), ({"max_entries": 1}, "entries"), ({"thresholds": {1: 0.4}}, "thresholds")],
    ids=str,
)
def test_a_list_that_the_authority_does_not_admit_is_not_loaded(
    desk: Desk, change: dict[str, Any], field: str
) -> None:
    desk.subject("anna", "anna/1")
    desk.subject("berta", "berta/1")
    desk.sealed()
    document = desk.document()
    other = Document.read({**document.model_dump(), "watchlist": {**document.model_dump()["watchlist"], **change}})
    refused = desk.load(other)
    assert refused.exit_code == 1
    assert f"list: {field}: " in refused.output
    with closing(redis.Redis.from_url(desk.redis_url)) as client:
        assert not list(client.scan_iter("list:*"))


def test_fillers_make_scores_normalised_and_are_named_so(desk: Desk) -> None:
    desk.subject("anna", "anna/1")
    desk.deploy(score_kind="gallery_normalised")
    refused = desk.build()
    assert refused.exit_code == 2
    assert "add --fillers 29" in refused.output
    result = desk.build("--fillers=40")
    assert result.exit_code == 0, result.output
    assert "1 subjects and 40 fillers (nobody)" in result.output


def test_where_nothing_is_built_the_old_draft_stays(desk: Desk) -> None:
    folder = desk.subject("anna", "anna/1")
    assert desk.build().exit_code == 0
    before = desk.draft.read_bytes()
    (folder / "1.jpg").write_text("!no_face")
    result = desk.build()
    assert result.exit_code == 1
    assert "nothing was built" in result.output
    assert desk.draft.read_bytes() == before


@pytest.mark.parametrize("spoil", ["card", "folder", "deployment", "server"])
def test_what_has_to_be_put_right_first_ends_in_exit_2_and_a_message(
    desk: Desk, tmp_path: Path, spoil: str
) -> None:
    if spoil != "folder":
        desk.subject("anna", "anna/1", card="category: x" if spoil == "card" else None)
    if spoil == "deployment":
        desk.deploy(max_entries=0)
    if spoil == "server":
        desk.address = "127.0.0.1:1"
    result = desk.build()
    said = {
        "card": "subject.yaml: entry_id: is missing",
        "folder": "is no folder",
        "deployment": "watchlist.max_entries",
        "server": "enrolment at 127.0.0.1:1 does not answer: UNAVAILABLE; is embed running?",
    }
    assert said[spoil] in result.output
    assert result.exit_code == (1 if spoil == "deployment" else 2)


def test_a_redis_that_forgets_is_refused(desk: Desk, redis_volatile: str) -> None:
    desk.subject("anna", "anna/1")
    desk.sealed()
    desk.redis_url = redis_volatile
    refused = desk.load()
    assert refused.exit_code == 2
    assert "REDIS_DURABLE_URL: appendonly is 'no'" in refused.output


def test_a_picture_above_the_servers_limit_is_too_large(desk: Desk) -> None:
    desk.subject("anna", "anna/1", "x" * (2 * 1024 * 1024))
    result = desk.build()
    assert result.exit_code == 0, result.output
    assert "2.jpg: too_large" in result.output


def test_a_model_that_is_not_known_needs_its_limits_said_and_a_known_one_keeps_them(
    tmp_path: Path, redis_durable: str, desk: Desk
) -> None:
    desk.subject("anna", "anna/1")
    known = desk.build("--same-person=0.3", "--duplicate=0.5")
    assert (known.exit_code, "are known: leave out" in known.output) == (2, True)
    with toy_server(ToyEnrolment(name="my-own")) as address:
        own = Desk(tmp_path / "own", redis_durable, address)
        own.subject("anna", "anna/1")
        refused = own.build()
        assert refused.exit_code == 2
        assert "nothing is known of the cosines of my-own" in refused.output
        assert own.build("--same-person=0.3", "--duplicate=0.5").exit_code == 0


def test_a_deployment_that_is_over_has_no_list_built(desk: Desk) -> None:
    desk.subject("anna", "anna/1")
    document = yaml.safe_load(desk._file.read_text())
    document["window"] |= {"start": "2020-01-01T00:00:00Z", "end": "2020-01-01T01:00:00Z"}
    desk._file.write_text(yaml.safe_dump(document))
    result = desk.build()
    assert result.exit_code == 2
    assert "its window and purge are over" in result.output


def test_cards_to_begin_with_make_a_list(desk: Desk) -> None:
    folder = desk.subject("anna", "anna/1")
    (folder / "subject.yaml").unlink()
    assert desk.run("cards", str(desk.subjects)).exit_code == 0
    result = desk.build()
    assert result.exit_code == 0, result.output


def test_a_reason_or_a_model_that_changes_midway_stops_the_build(address: str) -> None:
    with GrpcEnrolment(address) as client:
        client.model()
        with pytest.raises(Misconfigured, match="changed its model"):
            client.enrol(b"#another-model")
        with pytest.raises(Misconfigured, match="does not know: no_mood"):
            client.enrol(b"#no_mood")
        assert isinstance(client.enrol(b"!no_face"), Refused)


def test_a_kept_manifest_tells_what_to_fetch_and_one_altered_byte_whose_it_is(desk: Desk) -> None:
    desk.subject("anna", "anna/1")
    desk.sealed()
    manifest = desk.bundle.with_suffix(".manifest")
    words = (str(manifest), *desk.trust(), "--wanted")
    told = CliRunner().invoke(app, ["manifest", *words])
    assert told.exit_code == 0, told.output
    assert "own pictures  1.jpg" in told.output
    manifest.write_bytes(manifest.read_bytes().replace(b"own pictures", b"own_pictures"))
    altered = CliRunner().invoke(app, ["manifest", *words])
    assert altered.exit_code == 1
    assert f"ALTERED: entry {entry_of('anna')}" in altered.output


def test_a_past_list_is_made_again_and_what_differs_is_named(desk: Desk) -> None:
    desk.deploy(score_kind="gallery_normalised")
    desk.subject("anna", "anna/1", "anna/2")
    berta = desk.subject("berta", "berta/1")
    desk.sealed("--fillers=40")
    words = [str(desk.bundle.with_suffix(".manifest")), str(desk.subjects), f"--enrolment={desk.address}"]
    again = CliRunner().invoke(app, ["rebuild", *words, *desk.trust()])
    assert again.exit_code == 0, again.output
    assert "again: 3 templates and 40 fillers, bit for bit" in again.output
    (berta / "1.jpg").write_text("berta/2")
    other = CliRunner().invoke(app, ["rebuild", *words, *desk.trust()])
    assert other.exit_code == 1
    assert f"entry {entry_of('berta')}: pictures.0: is not among the pictures found [C-04]" in other.output


@pytest.fixture
def toy() -> ToyEnrolment:
    return ToyEnrolment()


@pytest.fixture
def watched(tmp_path: Path, redis_durable: str, toy: ToyEnrolment) -> Iterator[Desk]:
    """A desk whose enrolment tells how often it was asked."""
    with toy_server(toy) as address:
        yield Desk(tmp_path, redis_durable, address)


@pytest.mark.parametrize(
    "spoil", ["keys mode", "keys file", "out folder", "out below a file", "over", "future", "many"]
)
def test_what_can_be_known_beforehand_is_said_before_anything_is_enrolled(
    watched: Desk, toy: ToyEnrolment, spoil: str
) -> None:
    """A key store of mode 755 was refused after everything had been enrolled, and the report was lost."""
    card = yaml.safe_load((watched.subject("anna", "anna/1") / "subject.yaml").read_text())
    said, code = "", 2
    match spoil:
        case "keys mode":
            watched.keys.mkdir(mode=0o755)
            said = "has mode 755; chmod 700 it"
        case "keys file":
            watched.keys.write_text("no folder")
            said = f"--keys-dir: {watched.keys}: File exists"
        case "out folder":
            watched.draft.mkdir()
            said = f"--out: {watched.draft} is a folder"
        case "out below a file":
            watched.draft = watched.folder / "draft.yaml" / "list.draft"
            said = f"--out: {watched.folder / 'draft.yaml'} is no folder"
        case "over":
            document = yaml.safe_load(watched._file.read_text())
            document["window"] |= {"start": "2020-01-01T00:00:00Z", "end": "2020-01-01T01:00:00Z"}
            watched._file.write_text(yaml.safe_dump(document))
            said = "its window and purge are over"
        case "future":
            card["pictures"]["1.jpg"]["captured_on"] = "2999-01-01"
            (watched.subjects / "anna" / "subject.yaml").write_text(yaml.safe_dump(card))
            said, code = "pictures.1.jpg.captured_on: must not lie in the future [C-24] (folder anna)", 1
        case "many":
            watched.deploy(max_entries=1)
            watched.subject("berta", "berta/1")
            said, code = "list: entries: must be at most 1, are 2", 1
    done = watched.build()
    assert said in done.output
    assert (done.exit_code, toy.asked) == (code, 0)


def test_one_photograph_twice_is_named_with_the_file_it_is_a_copy_of_and_the_rest_is_built(
    watched: Desk, toy: ToyEnrolment
) -> None:
    """No file was named, and nothing was built."""
    anna = watched.subject("anna", "anna/1", "anna/2", "anna/1", "anna/3")
    (anna / "4.jpg").unlink()
    (anna / "4.jpg").symlink_to("2.jpg")
    done = watched.build()
    assert done.exit_code == 0, done.output
    assert "3.jpg: same_picture (the same bytes as 1.jpg)" in done.output
    assert "4.jpg: same_picture (a link to 2.jpg)" in done.output
    assert toy.asked == 2


def test_one_photograph_of_two_people_is_named_with_both_files(watched: Desk) -> None:
    anna, berta = watched.subject("anna", "anna/1", "anna/2"), watched.subject("berta", "anna/1")
    done = watched.build()
    assert done.exit_code == 1
    assert f"look at {anna}/1.jpg and {berta}/1.jpg: they are the same picture" in done.output


def test_a_failure_half_way_names_the_file_and_keeps_what_was_found_so_far(watched: Desk) -> None:
    """Who has waited for five hundred pictures keeps what was said of them."""
    watched.subject("anna", "anna/1", "!no_face")
    berta = watched.subject("berta", "#another-model")
    done = watched.build()
    assert done.exit_code == 2
    assert "2.jpg: no_face" in done.output
    assert f"{berta}/1.jpg: enrolment has changed its model" in done.output


def test_a_draft_that_cannot_be_kept_after_all_leaves_the_report(
    watched: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*told: object, **by_name: object) -> None:
        raise Misconfigured("the disk is full")

    watched.subject("anna", "anna/1", "!no_face")
    monkeypatch.setattr(storing, "store_draft", full)
    done = watched.build()
    assert done.exit_code == 2
    assert "2.jpg: no_face" in done.output
    assert "digest" in done.output
    assert "the disk is full" in done.output


def test_what_is_left_out_is_said_by_cards_and_by_build(watched: Desk) -> None:
    anna = watched.subject("anna", "anna/1")
    (watched.subjects / "loose.jpg").write_text("anna/2")
    (anna / "more").mkdir()
    (anna / ".DS_Store").write_bytes(b"Bud1")
    for done in (watched.run("cards", str(watched.subjects)), watched.build()):
        assert done.exit_code == 0, done.output
        assert f"left out: {watched.subjects}/loose.jpg: lies beside the people's folders" in done.output
        assert f"left out: {anna}/more: a folder within a person's" in done.output
        assert "left out: 1 hidden and system files" in done.output
