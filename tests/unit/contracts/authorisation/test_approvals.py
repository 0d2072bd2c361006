"""Is this document authorised? Signatures, roles, quorum, and what an attacker would try (G1, C-18)."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.contracts.authorisation.approvals import Quorum, Verified, approve, verify
from services.contracts.authorisation.document import Document
from services.contracts.authorisation.enums import Role
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.registry import Registry, open_registry, sign_registry
from services.contracts.authorisation.signing import BadSignature, SigningKey, payload_of, take_apart
from tests.unit.contracts.authorisation.builders import (
    APPROVED,
    END,
    NOON,
    ROOT,
    START,
    WRITTEN,
    a_document,
    a_list,
    a_registered_key,
    a_registry,
    approval,
    approvals,
    key,
    sha,
)


def judged(
    document: Document, tokens: Iterable[str], registry: Registry | None = None, now: datetime = NOON
) -> Verified:
    return verify(document.canonical_bytes(), tokens, registry or a_registry(), root_fingerprint=ROOT.kid, now=now)


def refused(
    document: Document, tokens: Iterable[str], registry: Registry | None = None, now: datetime = NOON
) -> str:
    with pytest.raises(NotAuthorised) as error:
        judged(document, tokens, registry, now)
    return str(error.value)


def test_an_author_and_an_authorising_officer_make_a_quorum() -> None:
    document = a_document()
    verified = judged(document, approvals(document))
    assert verified.quorum is Quorum.FULL
    assert verified.document == document
    assert verified.digest == document.digest
    assert verified.approvers == {"olu"}
    assert "olu" not in repr(verified)


@pytest.mark.parametrize(
    ("people", "rule"),
    [
        ((), "nobody of the registry has signed"),
        (("olu",), "author's own signature is missing"),
        (("ann",), "0 of 1 authorising officers"),
        (("ann", "uma"), "0 of 1 authorising officers"),
        (("ann", "sam"), "a key of role supervisor may not sign it"),
        (("ann", "rex"), "a key of role reviewer may not sign it"),
        (("ann", "liz"), "a key of role list_manager may not sign it"),
        (("ann", "oversight"), "a key of role oversight may not sign it"),
    ],
)
def test_nobody_else_makes_one(people: tuple[str, ...], rule: str) -> None:
    document = a_document()
    tokens = [approval(document, person) for person in people]
    assert rule in refused(document, tokens)


def test_an_assembly_needs_one_more_authorising_officer_and_not_the_same_twice() -> None:
    document = a_document(assembly=True)
    assert "1 of 2" in refused(document, approvals(document, "ann", "olu", "olu"))
    assert "because of the assembly" in refused(document, approvals(document))
    assert judged(document, approvals(document, "ann", "olu", "pat")).quorum is Quorum.FULL


def test_who_authorises_was_on_no_other_side_since_it_was_written_nor_until_its_last_case() -> None:
    document = a_document()
    for term in (
        {"valid_to": APPROVED - timedelta(seconds=1)},
        {"valid_from": END + timedelta(hours=23)},
    ):
        other_side = a_registered_key("olu", Role.LIST_MANAGER, secret="olu's other", **term)
        assert "may not be a list manager" in refused(document, approvals(document), a_registry(other_side))


@pytest.mark.parametrize("role", [Role.LIST_MANAGER, Role.REVIEWER, Role.AUDITOR, Role.OVERSIGHT])
def test_who_authorises_has_no_key_for_the_other_side_while_it_runs(role: Role) -> None:
    other_side = a_registered_key("olu", role, secret=f"olu's as {role}")
    document = a_document()
    assert "who authorises may not be a" in refused(document, approvals(document), a_registry(other_side))


def test_who_was_a_reviewer_last_year_may_authorise_now() -> None:
    over = a_registered_key("olu", Role.REVIEWER, secret="olu's of old", valid_to=WRITTEN)
    document = a_document()
    assert judged(document, approvals(document), a_registry(over)).quorum is Quorum.FULL


def test_the_author_may_not_authorise_by_a_second_key() -> None:
    document = a_document(author="olu")
    author = a_registered_key("olu", Role.AUTHOR, secret="olu's as author")
    own = approve(document, key("olu's as author"), role=Role.AUTHOR, person="olu", at=APPROVED)
    assert "may not be the author" in refused(document, (own, approval(document, "olu")), a_registry(author))


def test_another_author_than_the_one_it_names_does_not_count() -> None:
    document = a_document(author="bob")
    assert "not this document's author" in refused(document, approvals(document))


@pytest.mark.parametrize(
    "other",
    [
        a_document(id="oxford-street-2"),
        a_document(serial=2),
        a_document(version=2, supersedes=sha("1")),
        a_document(watchlist=a_list(thresholds={1: 0.3})),
        a_document(watchlist=a_list(digest=sha("another list"))),
        a_document(watchlist=a_list(max_entries=2000)),
        a_document(watchlist=a_list(score_kind="gallery_normalised")),
    ],
)
def test_approvals_of_another_document_are_worth_nothing(other: Document) -> None:
    """Replay from another deployment or version, threshold lowered, list swapped or grown, score kind changed."""
    assert "is of another document, version or deployment" in refused(a_document(), approvals(other))


def test_a_key_counts_in_its_term_only_and_not_once_it_is_revoked() -> None:
    document = a_document()
    late = a_registered_key("olu", valid_from=APPROVED + timedelta(hours=1))
    over = a_registered_key("olu", valid_to=APPROVED)
    rotated = a_registered_key("olu", valid_to=APPROVED + timedelta(hours=1))
    revoked = a_registered_key("olu", revoked_at=NOON)
    for registered, rule in (
        (late, "not valid when it signed"),
        (over, "not valid when"),
        (revoked, "is revoked"),
    ):
        assert rule in refused(document, approvals(document), a_registry(registered, without=["olu"]))
    assert judged(document, approvals(document), a_registry(rotated, without=["olu"])).quorum is Quorum.FULL


def test_a_revocation_voids_what_the_key_signed_before_it() -> None:
    """A thief dates a signature as he likes."""
    revoked = a_registry(a_registered_key("olu", revoked_at=NOON), without=["olu"])
    document = a_document()
    before = NOON - timedelta(seconds=1)
    assert judged(document, approvals(document), revoked, before).holds_until == NOON
    assert "is revoked" in refused(document, approvals(document), revoked, NOON)


@pytest.mark.parametrize("at", [WRITTEN - timedelta(seconds=1), END, NOON + timedelta(seconds=3)])
def test_an_approval_is_not_older_than_its_document_nor_from_the_future_nor_late(at: datetime) -> None:
    document = a_document()
    assert "[" in refused(document, approvals(document, at=at))


def test_an_unknown_key_and_a_forged_signature_prove_nothing() -> None:
    document = a_document()
    assert "no such key" in refused(document, approvals(document), a_registry(without=["olu"]))
    head, payload, _ = approval(document, "olu").split(".")
    forged = ".".join((head, payload, approval(document, "ann").split(".")[2]))
    assert "signature does not fit" in refused(document, (approval(document, "ann"), forged))


def test_a_role_or_person_other_than_the_keys_own_is_no_approval() -> None:
    document = a_document()
    posing = approval(document, "uma", role="authorising_officer")
    assert "names another role or person" in refused(document, (approval(document, "ann"), posing))


def test_nobody_can_undo_an_approval_by_adding_one() -> None:
    document = a_document()
    junk = ("", "a.b.c", approval(a_document(serial=9), "olu"), "x" * 200_000)
    assert judged(document, (*junk, *approvals(document), *junk)).quorum is Quorum.FULL


def test_an_altered_byte_of_the_document_is_refused() -> None:
    document = a_document()
    raw = document.canonical_bytes().replace(b'"max_entries":1000', b'"max_entries":1001')
    with pytest.raises(NotAuthorised, match="another document"):
        verify(raw, approvals(document), a_registry(), root_fingerprint=ROOT.kid, now=NOON)


def test_an_approved_document_that_breaks_a_rule_is_refused_all_the_same() -> None:
    document = a_document(equity=None)
    assert "equitability" in refused(document, approvals(document))


def test_an_urgent_one_begins_with_an_urgent_officer_until_its_deadline() -> None:
    deadline = START + timedelta(hours=2)
    document = a_document(created_at=START, urgent={"reason": "a threat to life", "deadline": deadline})
    at = START + timedelta(minutes=1)
    urgent = judged(document, approvals(document, "ann", "uma", at=at))
    assert (urgent.quorum, urgent.holds_until) == (Quorum.URGENT, deadline)
    full = judged(document, approvals(document, "ann", "uma", "olu", at=at))
    assert full.quorum is Quorum.FULL
    late = (*approvals(document, "ann", at=at), *approvals(document, "olu", at=deadline + timedelta(seconds=1)))
    assert "after the urgent deadline" in refused(document, late, now=END)


def test_a_registry_of_another_root_or_past_its_time_is_not_relied_on() -> None:
    document = a_document()
    with pytest.raises(NotAuthorised, match="another root"):
        verify(
            document.canonical_bytes(),
            approvals(document),
            a_registry(),
            root_fingerprint=key("mallory").kid,
            now=NOON,
        )
    assert "has passed" in refused(document, approvals(document), a_registry(valid_until=NOON))
    assert "in the future" in refused(
        document, approvals(document), a_registry(issued_at=NOON + timedelta(hours=1))
    )
    assert "organisation" in refused(document, approvals(document), a_registry(organisation="another-police"))


def test_the_registry_is_the_roots_alone() -> None:
    token = sign_registry(a_registry(), ROOT)
    assert open_registry(token, root_fingerprint=ROOT.kid) == a_registry()
    mallory = key("mallory")
    hers = sign_registry(a_registry(root=mallory.public), mallory)
    with pytest.raises(NotAuthorised, match="another root"):
        open_registry(hers, root_fingerprint=ROOT.kid)
    with pytest.raises(ValueError, match="names another root"):
        sign_registry(a_registry(), mallory)


def test_a_registry_signed_by_another_under_the_roots_name_is_refused() -> None:
    """kid is what the configuration is compared with, so a forger would write the root's there."""
    head = {"alg": "Ed25519", "kid": ROOT.kid, "typ": "signpost-registry+jws"}
    real = sign_registry(a_registry(), ROOT)
    by_mallory = sign_registry(a_registry(root=key("mallory").public), key("mallory")).split(".")
    forged = f"{segment(head)}.{by_mallory[1]}.{by_mallory[2]}"
    with pytest.raises(BadSignature):
        open_registry(forged, root_fingerprint=ROOT.kid)
    swapped = f"{real.split('.')[0]}.{by_mallory[1]}.{real.split('.')[2]}"
    with pytest.raises(BadSignature):
        open_registry(swapped, root_fingerprint=ROOT.kid)


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


GOOD = {"alg": "Ed25519", "kid": key("ann").kid, "typ": "t"}


@pytest.mark.parametrize(
    "header",
    [
        GOOD | {"alg": "none"},
        GOOD | {"alg": "EdDSA"},
        GOOD | {"alg": "HS256"},
        GOOD | {"alg": "Ed448"},
        GOOD | {"crit": ["b64"], "b64": False},
        GOOD | {"jwk": {"kty": "OKP"}},
        {"alg": "Ed25519", "kid": key("ann").kid},
        GOOD | {"jku": "https://mallory.example/keys"},
        GOOD | {"x5c": ["MIIB"]},
        GOOD | {"kid": 7},
        GOOD | {"typ": "T"},
        {"typ": "t", "alg": "Ed25519", "kid": key("ann").kid},
        ["Ed25519"],
    ],
)
def test_every_header_but_ours_is_refused_before_any_key_is_looked_up(header: object) -> None:
    _, payload, signature = key("ann").sign(b"{}", typ="t").split(".")
    with pytest.raises(BadSignature):
        take_apart(f"{segment(header)}.{payload}.{signature}")


def test_a_header_that_says_alg_twice_is_refused() -> None:
    """One reader takes the first, another the last."""
    raw = f'{{"alg":"none","alg":"Ed25519","kid":"{key("ann").kid}","typ":"t"}}'.encode()
    head = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    with pytest.raises(BadSignature, match="header"):
        take_apart(f"{head}.{key('ann').sign(b'{}', typ='t').split('.', 1)[1]}")


def test_a_signature_has_one_spelling() -> None:
    """Common decoders pass over spare bits, padding and letters they do not know: one signature, many tokens."""
    token = key("ann").sign(b"{}", typ="t")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = token[:-1] + letters[letters.index(token[-1]) ^ 1]
    for other in (spare, token + "==", token[:-4] + "!" + token[-4:], token + "\n", token.replace(".", ".\n", 1)):
        with pytest.raises(BadSignature, match="base64url"):
            take_apart(other)


def test_a_symmetric_signature_with_the_public_key_is_worth_nothing() -> None:
    """The old confusion of HS256 with a public key: the header alone is enough to refuse it."""
    signing = f"{segment(GOOD | {'alg': 'HS256'})}.{segment({})}"
    mac = hmac.digest(key("ann").public.encode(), signing.encode(), "sha256")
    forged = f"{signing}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    with pytest.raises(BadSignature, match="header"):
        take_apart(forged)


def test_a_large_document_that_nobody_signed_is_not_even_read() -> None:
    with pytest.raises(NotAuthorised, match="nobody of the registry has signed"):
        verify(b"[" * 1_000_000, approvals(a_document()), a_registry(), root_fingerprint=ROOT.kid, now=NOON)


def test_a_registry_is_read_once_the_root_has_signed_it() -> None:
    junk = key("mallory").sign(b'{"root":"x"}', typ="signpost-registry+jws").split(".")
    head = segment({"alg": "Ed25519", "kid": ROOT.kid, "typ": "signpost-registry+jws"})
    payloads: tuple[object, ...] = ({"root": ROOT.public}, {"root": 7}, {"root": "x"}, {}, [])
    for payload in payloads:
        with pytest.raises(BadSignature):
            open_registry(f"{head}.{segment(payload)}.{junk[2]}", root_fingerprint=ROOT.kid)


def test_a_registry_of_a_large_organisation_fits() -> None:
    many = tuple(a_registered_key(f"rex-{n}", Role.REVIEWER, secret=f"rex-{n}") for n in range(1500))
    token = sign_registry(a_registry(*many), ROOT)
    assert len(open_registry(token, root_fingerprint=ROOT.kid).keys) == 1500 + len(a_registry().keys)


def test_two_persons_do_not_differ_in_case_only() -> None:
    with pytest.raises(ValueError, match="upper and lower case"):
        a_registry(a_registered_key("Olu", Role.REVIEWER, secret="another"))


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c.d", "é.b.c", "....", "!!.b.c", "x" * 200_000])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(BadSignature):
        take_apart(token)


def test_a_statement_of_one_kind_is_never_taken_for_another() -> None:
    ann = key("ann")
    signed = take_apart(ann.sign(b"{}", typ="signpost-approval+jws"))
    assert payload_of(signed, public=ann.public, typ="signpost-approval+jws") == b"{}"
    with pytest.raises(BadSignature, match="typ"):
        payload_of(signed, public=ann.public, typ="signpost-lease+jws")
    with pytest.raises(BadSignature, match="thumbprint"):
        payload_of(signed, public=key("olu").public, typ="signpost-approval+jws")


def test_a_key_shows_no_secret_and_has_32_bytes() -> None:
    secret = bytes(range(32))
    assert secret.hex() not in repr(SigningKey(secret)) + str(vars(SigningKey(secret)))
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey(b"short")


@pytest.mark.parametrize(
    "changes",
    [
        {"kid": key("bob").kid},
        {"public": "A" * 43},
        {"valid_to": START - timedelta(days=100)},
    ],
)
def test_a_key_goes_by_its_own_name_and_has_a_term(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"thumbprint|valid_to"):
        a_registered_key("ann", **changes)


def test_a_key_is_listed_once_and_the_root_is_nobodys() -> None:
    with pytest.raises(ValueError, match="listed once"):
        a_registry(a_registered_key("ann", Role.REVIEWER))
    with pytest.raises(ValueError, match="no person's key"):
        a_registry(a_registered_key("mallory", Role.AUDITOR, secret="root"))
