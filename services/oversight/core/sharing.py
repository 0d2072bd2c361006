"""The sharing register's next line: believed by its signer's key, recorded by the rules, chained with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from services.contracts.audit.requests import Action
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.records import Record, SharingRecorded
from services.contracts.authorisation.registry import Registry
from services.contracts.authorisation.signing import BadSignature
from services.contracts.authorisation.statements import NotBelieved, Opened, Rejection, open_as
from services.contracts.sharing.register import SharingRegister, claimed
from services.contracts.sharing.rules import broken
from services.contracts.sharing.statements import (
    AgreementEnded,
    AgreementMade,
    AnswerPublished,
    Direction,
    FollowedUp,
    ShareMade,
    SharingStatement,
)
from services.oversight.core.clerk import Clerk, Decision, Entry, Now, known_registry
from services.oversight.core.register import Register


def enter(clerk: Clerk, register: Register, token: str, now: Now) -> Decision:
    """One more line. Raises NotAuthorised, NotBelieved. The same line again is harmless."""
    if token in register.sharing.tokens:
        return Decision(register)
    kind = type(_claimed(token))
    opened: Opened[SharingStatement] = open_as(kind, token, registry=known_registry(register), now=now.wall)
    clerk.require_signing(register, now.wall)
    said, person = opened.statement, opened.key.person
    against = broken(register.sharing, said, person, organisation=register.organisation, now=now.wall)
    if against:
        raise NotAuthorised("requirements", against)
    after = replace(register, sharing=register.sharing.with_line(said, token, person))
    return Decision(register).writing(Entry(SharingRecorded(token), said), after)


def recovered(
    records: Iterable[Record], registry: Registry | None, organisation: str, rejected: Counter[Rejection]
) -> SharingRegister:
    """The register out of its records, each judged as of the time at which it was signed.

    What nobody of the right role signed is passed over; a line that is missing, or keeps no rule, breaks it: until
    somebody has looked, nothing is shared.
    """
    known = SharingRegister()
    tokens = dict.fromkeys(record.token for record in records if isinstance(record, SharingRecorded))
    if registry is None:
        # By whom they are cannot be told; but a register that has lines is not begun anew.
        return SharingRegister(broken=any(_claims_to_be_of(organisation, token) for token in tokens))
    for opened, token in sorted(_opened(tokens, registry, rejected), key=lambda one: one[0].statement.number):
        said, person = opened.statement, opened.key.person
        if known.broken or broken(known, said, person, organisation=organisation, now=said.signed_at):
            rejected[Rejection.BREAKS_RULES] += 1
            known = replace(known, broken=True)
        else:
            known = known.with_line(said, token, person)
    return known


def told(said: SharingStatement) -> tuple[Action, str, str | None]:
    """What is chained of a line: the action, what it is about, and whose list it was, if it was one's."""
    match said:
        case ShareMade():
            action = Action.SHARED if said.direction is Direction.OUT else Action.SHARE_RECEIVED
            return action, f"share/{said.serial}", said.deployment
        case FollowedUp():
            return Action.SHARE_FOLLOWED_UP, f"share/{said.serial}/{said.what}", None
        case AnswerPublished():
            return Action.ANSWER_PUBLISHED, f"answer/{said.answer}", None
        case AgreementMade():
            return Action.SHARING_AGREED, f"agreement/{said.agreement}", None
        case AgreementEnded():
            return Action.SHARING_ENDED, f"agreement/{said.agreement}", None
    raise AssertionError("a line of the sharing register is of one of these kinds")


def _opened(
    tokens: Iterable[str], registry: Registry, rejected: Counter[Rejection]
) -> Iterator[tuple[Opened[SharingStatement], str]]:
    for token in tokens:
        try:
            said = _claimed(token)
            opened = open_as(type(said), token, registry=registry, now=said.signed_at)
        except NotBelieved as error:
            rejected[error.why] += 1
            continue
        if said.organisation == registry.organisation:
            yield opened, token
        else:
            rejected[Rejection.OTHER_DEPLOYMENT] += 1


def _claims_to_be_of(organisation: str, token: str) -> bool:
    try:
        return _claimed(token).organisation == organisation
    except NotBelieved:
        return False


def _claimed(token: str) -> SharingStatement:
    try:
        return claimed(token)
    except (BadSignature, NotAuthorised) as error:
        raise NotBelieved(Rejection.MALFORMED, str(error)) from None
