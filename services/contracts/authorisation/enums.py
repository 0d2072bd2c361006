"""The closed sets of an authority. None has an "other": what is not listed here is not authorised.

*Who* may be listed and *why* must be objective (controls B 3.6, Bridges para 124; C-26): a new member is a change
of policy, reviewed as one.
"""

from __future__ import annotations

from enum import StrEnum

from services.contracts import authority


class UseCase(StrEnum):
    """In what setting faces are searched (controls B 3.1). EXERCISE: consenting subjects, no dispatch."""

    CRIME_HOTSPOT = "crime_hotspot"
    PROTECTIVE_SECURITY = "protective_security"
    LOCATION_INTELLIGENCE = "location_intelligence"
    EXERCISE = "exercise"

    @property
    def admits(self) -> authority.UseCase:
        """What the services distinguish: live cameras only, or an exercise."""
        return authority.UseCase.EXERCISE if self is UseCase.EXERCISE else authority.UseCase.LIVE


class Purpose(StrEnum):
    """Whom the deployment is to find, and what for."""

    LOCATE_WANTED_ON_WARRANT = "locate_wanted_on_warrant"
    LOCATE_SUSPECTS_OF_SERIOUS_CRIME = "locate_suspects_of_serious_crime"
    ENFORCE_COURT_ORDERS = "enforce_court_orders"
    LOCATE_MISSING_AT_RISK = "locate_missing_at_risk"
    LOCATE_VICTIMS = "locate_victims"
    PREVENT_IMMINENT_THREAT = "prevent_imminent_threat"
    EXERCISE = "exercise"


class Category(StrEnum):
    """Why somebody is on a list. CONSENTING_VOLUNTEER is for exercises, and exercises have nobody else."""

    WANTED_ON_WARRANT = "wanted_on_warrant"
    SUSPECT_OF_SERIOUS_CRIME = "suspect_of_serious_crime"
    UNLAWFULLY_AT_LARGE = "unlawfully_at_large"
    SUBJECT_OF_COURT_ORDER = "subject_of_court_order"
    MISSING_AT_RISK = "missing_at_risk"
    VICTIM_OF_SERIOUS_CRIME = "victim_of_serious_crime"
    IMMINENT_THREAT_TO_LIFE = "imminent_threat_to_life"
    CONSENTING_VOLUNTEER = "consenting_volunteer"


class AgeBand(StrEnum):
    """Bands of listed people's recorded ages. Never inferred from a picture."""

    UNDER_10 = "under_10"
    FROM_10_TO_13 = "10_to_13"
    FROM_14_TO_17 = "14_to_17"
    ADULT = "adult"


UNDER_18 = frozenset(AgeBand) - {AgeBand.ADULT}


class RevocationReason(StrEnum):
    """Why somebody is taken off a sealed list. None says anything else of the person (no "other")."""

    LOCATED = "located"
    NO_LONGER_SOUGHT = "no_longer_sought"
    BASIS_ENDED = "basis_ended"
    COURT_ORDER = "court_order"
    ADDED_BY_MISTAKE = "added_by_mistake"
    WRONG_PERSON = "wrong_person"
    CONSENT_WITHDRAWN = "consent_withdrawn"


class DocumentKind(StrEnum):
    """What must be on file, with hash and review date, before a deployment (C-11, C-15)."""

    DPIA = "dpia"
    APPROPRIATE_POLICY = "appropriate_policy"
    EQUALITY_IMPACT = "equality_impact"
    COMMUNITY_IMPACT = "community_impact"


class Role(StrEnum):
    """What a key in the registry is for. A person may hold several keys, but never two sides of one decision."""

    AUTHOR = "author"
    AUTHORISING_OFFICER = "authorising_officer"
    URGENT_OFFICER = "urgent_officer"
    LIST_MANAGER = "list_manager"
    REVIEWER = "reviewer"
    SUPERVISOR = "supervisor"
    ENGAGEMENT_OFFICER = "engagement_officer"
    AUDITOR = "auditor"
    SHARING_APPROVER = "sharing_approver"  # central: agrees with other bodies what may be shared; shares nothing
    OVERSIGHT = "oversight"  # the service's own key: it keeps states, leases and the audit chain, approves nothing
    SERVICE = "service"  # another service's, which `person` names: it asks for entries in the audit chain


class State(StrEnum):
    """Where an authority stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    AUTHORISED = "authorised"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"
    PURGED = "purged"
    REPORTED = "reported"
    REVIEWED = "reviewed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Move(StrEnum):
    """What takes an authority from one state to the next."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REFUSE = "refuse"
    CANCEL = "cancel"
    EXPIRE = "expire"
    ACTIVATE = "activate"
    SUSPEND = "suspend"
    RESUME = "resume"
    STOP = "stop"
    END = "end"  # the window is over
    LAPSE = "lapse"  # an urgent one was not approved in time
    ORDER_PURGE = "order_purge"  # every holder destroys what it has; may be ordered again
    PURGE = "purge"  # all have, and the certificate says so
    REPORT = "report"
    REVIEW = "review"


class ClockState(StrEnum):
    """How far the time of day can be trusted (C-29)."""

    SYNCHRONISED = "synchronised"
    UNSYNCHRONISED = "unsynchronised"
    UNKNOWN = "unknown"
