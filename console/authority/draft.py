"""A draft: what an author writes in YAML. With the facts of its list it is the document that people sign."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from services.contracts import authority, yaml_text
from services.contracts.authorisation import bridge, rules
from services.contracts.authorisation.document import Document, SealedList, Thresholds
from services.contracts.authorisation.fields import SHAPE, Name, Part, Reference, Sha256
from services.contracts.authorisation.findings import Finding, NotAuthorised
from services.contracts.authorisation.statements import NOTHING
from services.contracts.events import ScoreKind

_UNSEALED = "unsealed"
# Stands for thresholds that are still open: no score reaches it.
_OPEN_THRESHOLDS = {1: 1.99}
_LIST_SOURCE = "C-24: the authority names the list that was sealed"

DigestOf = Callable[[str], str]
"""SHA-256, in hex, of the file that a draft names. Raises OSError."""


class SealedFacts(Part):
    """What a sealed list settles and the authority's draft leaves open: written by `watchlist seal`."""

    deployment: Name
    id: Name
    digest: Sha256
    model: Reference
    score_kind: ScoreKind
    thresholds: Thresholds | None = None


@dataclass(frozen=True)
class Draft:
    """A draft of the right shape; `parse` makes it. The digest of its list is still open, and so may be its model
    and its thresholds."""

    fields: Mapping[str, Any] = field(repr=False)
    _open: Document = field(repr=False)

    @property
    def deployment(self) -> str:
        return self._open.id

    @property
    def organisation(self) -> str:
        return self._open.organisation

    @property
    def author(self) -> str:
        return self._open.author

    @property
    def watchlist(self) -> SealedList:
        """The list's terms. Its digest is still open, and its model and thresholds may be: those are none."""
        return self._open.watchlist

    @property
    def fpir_budget(self) -> float | None:
        """The rate of false alarms that the thresholds have to keep.

        None where the draft gives thresholds itself, or has evidence: that holds for its own thresholds only.
        """
        given = "thresholds" in self.fields["watchlist"] or self._open.equity is not None
        return None if given else self._open.fpir_budget

    def bounds(self) -> authority.Authority:
        """What the list is built within: any model unless the draft names one."""
        document, sealed = self._open, self._open.watchlist
        return authority.Authority(
            deployment=document.id,
            version=document.version,
            use_case=document.admits,
            purpose=document.purpose,
            cameras=tuple(
                authority.Camera(id=one.id, source=one.source, address=f"{one.source}://{one.host or one.id}")
                for one in document.cameras
            ),
            window=authority.Window(start=document.window.start, end=document.window.end),
            watchlist=authority.Watchlist(
                name=sealed.id,
                model=self.fields["watchlist"].get("model"),
                max_entries=sealed.max_entries,
                score_kind=sealed.score_kind,
                thresholds=sealed.thresholds,
            ),
            verification=document.verification,
            retention=document.retention,
        )

    def broken(self) -> tuple[Finding, ...]:
        """Every rule that it breaks whatever its list turns out to be."""
        return rules.broken(self._open)

    def unlike(self, cameras: Iterable[authority.Camera]) -> tuple[Finding, ...]:
        """In what cameras as ingest is to read them differ from the draft's: ingest would not start."""
        return tuple(Finding("cameras", why, "C-28") for why in bridge.unlike(self._open, cameras))

    def document(self, sealed: SealedFacts) -> Document:
        """What is signed. Raises NotAuthorised for a list that is another than the draft says."""
        wrong = [
            Finding(f"watchlist.{name}", f"is not that of the sealed list ({built})", _LIST_SOURCE)
            for name, said, built in self._compared(sealed)
            if said != built
        ]
        if wrong:
            raise NotAuthorised("list", wrong)
        settled: dict[str, Any] = {"digest": sealed.digest, "model": sealed.model}
        if sealed.thresholds is not None:
            settled["thresholds"] = sealed.thresholds
        return Document.read({**self.fields, "watchlist": {**self.fields["watchlist"], **settled}})

    def _compared(self, sealed: SealedFacts) -> Iterator[tuple[str, str, str]]:
        said = self.fields["watchlist"]
        yield "deployment", self.deployment, sealed.deployment
        yield "id", self._open.watchlist.id, sealed.id
        yield "score_kind", self._open.watchlist.score_kind, sealed.score_kind
        for name in ("digest", "model"):
            if name in said:
                yield name, said[name], getattr(sealed, name)
        if "thresholds" in said and sealed.thresholds is not None:
            yield "thresholds", _written(self._open.watchlist.thresholds), _written(sealed.thresholds)


def parse(text: str, *, digest_of: DigestOf) -> Draft:
    """The draft in a YAML text. `file: name` may stand for the `sha256` of that file.

    Raises NotAuthorised naming every field that has not its shape, never a value.
    """
    fields = _digested(_mapping(text), digest_of)
    watchlist = fields.get("watchlist")
    if not isinstance(watchlist, dict):
        raise NotAuthorised("malformed", [Finding("watchlist", "must be a mapping of fields", SHAPE)])
    # Evidence must be of the list's model and thresholds; which these are shows only once the list is sealed.
    equity = fields.get("equity")
    evidence = equity if isinstance(equity, dict) else {}
    unsealed = {
        "digest": NOTHING,
        "model": evidence.get("model") or _UNSEALED,
        "thresholds": evidence.get("thresholds") or _OPEN_THRESHOLDS,
        **watchlist,
    }
    return Draft(fields, Document.read({**fields, "watchlist": unsealed}))


def parse_sealed(text: str) -> SealedFacts:
    """The facts in a YAML text. Raises NotAuthorised."""
    return SealedFacts.read(_mapping(text))


def _written(thresholds: Thresholds) -> str:
    return ", ".join(f"{shots}: {score}" for shots, score in sorted(thresholds.items()))


# As the document's own bytes, and more values than the largest document has.
_MOST_SIGNS = 1024 * 1024
_MOST_VALUES = 200_000


def _size(node: yaml.Node | None, known: dict[int, int]) -> int:
    """How many values a node stands for: a few lines of aliases may stand for billions."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) not in known:
        # One that holds itself has no end.
        known[id(node)] = _MOST_VALUES
        parts = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(node)]


def _mapping(text: str) -> dict[str, Any]:
    if len(text) > _MOST_SIGNS:
        raise NotAuthorised("malformed", [Finding("document", "must be at most 1 MiB", SHAPE)])
    try:
        if _size(yaml.compose(text, yaml_text.Once), {}) > _MOST_VALUES:
            rule = f"must have at most {_MOST_VALUES} values, each alias (`*name`) counted as what it stands for"
            raise NotAuthorised("malformed", [Finding("document", rule, SHAPE)])
        found = yaml.safe_load(text)
    except RecursionError:
        raise NotAuthorised("malformed", [Finding("document", "must not be nested so deeply", SHAPE)]) from None
    except yaml_text.NotYaml as refused:
        raise NotAuthorised("malformed", [Finding("document", str(refused), SHAPE)]) from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: what looks like a date and is none
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        rule = f"must be YAML{where}{yaml_text.why(error)}"
        raise NotAuthorised("malformed", [Finding("document", rule, SHAPE)]) from None
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise NotAuthorised("malformed", [Finding("document", "must be a mapping of fields", SHAPE)])
    return found


def _digested(fields: dict[str, Any], digest_of: DigestOf) -> dict[str, Any]:
    """The fields with every `file` replaced by the `sha256` of what it names."""
    wrong: list[Finding] = []

    def walked(value: object, path: str) -> object:
        if isinstance(value, list):
            return [walked(one, f"{path}.{place}") for place, one in enumerate(value)]
        if not isinstance(value, dict):
            return value
        found = {name: walked(one, f"{path}.{name}") for name, one in value.items()}
        if "file" not in found:
            return found
        if "sha256" in found:
            wrong.append(Finding(f"{path}.file", "stands instead of sha256, not beside it", SHAPE))
        try:
            found["sha256"] = digest_of(str(found.pop("file")))
        except OSError as error:
            rule = f"the file it names cannot be read ({type(error).__name__})"
            wrong.append(Finding(f"{path}.file", rule, SHAPE))
        return found

    found = {name: walked(value, name) for name, value in fields.items()}
    if wrong:
        raise NotAuthorised("malformed", wrong)
    return found
