"""Reads an audit file line by line up to the first that does not fit; keeps a frontier and producers' counts."""

from __future__ import annotations

from datetime import datetime

from console.audit.suspects import Suspect
from console.audit.verdict import Fault, Kind, Verdict
from services.contracts.audit.chain import FIRST_PREVIOUS, Audited, SignedTreeHead
from services.contracts.audit.lines import Header, Line, decode_line
from services.contracts.audit.merkle import Frontier
from services.contracts.audit.registry import KeyRegistry, SignedKeys
from services.contracts.audit.signing import Verify
from services.contracts.authorisation.findings import NotAuthorised
from services.contracts.authorisation.signing import BadSignature
from services.contracts.errors import Undecodable


class Check:
    """The state of one reading. `take` each line in order until one is a Suspect, then `end`."""

    def __init__(self, root_fingerprint: str, verify: Verify, given: SignedTreeHead | None = None) -> None:
        self._root_fingerprint = root_fingerprint
        self._verify = verify
        self._given = given
        self._agreed: SignedTreeHead | None = None
        self._header: Header | None = None
        self._signed: SignedKeys | None = None
        self._keys: KeyRegistry | None = None
        self._line = 0
        self._chain = ""
        self._tree = Frontier()
        self._last = FIRST_PREVIOUS
        self._sequences: dict[str, int] = {}
        self._head: SignedTreeHead | None = None

    def take(self, raw: bytes) -> Suspect | None:
        """One more line, with its newline. None: it fits all before it."""
        self._line += 1
        line = self._read(raw)
        if isinstance(line, Suspect):
            return line
        if self._header is None:
            return self._take_header(line)
        if self._keys is None:
            return self._take_registry(line)
        return self._take_record(line, raw)

    def end(self, fault: Fault | None) -> Verdict:
        """The verdict: on the whole file, or on what came before `fault`."""
        return Verdict(
            chain=self._chain,
            entries=self._tree.size,
            registry_version=self._keys.version if self._keys else 0,
            complete_to=self._head,
            agreed=self._agreed,
            fault=fault or self._cut_off(),
        )

    @property
    def _registry(self) -> KeyRegistry:
        assert self._keys is not None  # noqa: S101 - nothing of a chain is looked at before its keys
        return self._keys

    @property
    def _next(self) -> int:
        return self._tree.size + 1

    @property
    def _next_entry(self) -> int | None:
        return self._next if self._keys else None

    def _read(self, raw: bytes) -> Line | Suspect:
        if not raw.endswith(b"\n"):
            return self._suspect(
                Kind.TRUNCATED, "the file ends in the middle of this line", entry=self._next_entry
            )
        try:
            return decode_line(raw)
        except Undecodable as error:
            return self._suspect(Kind.ALTERED, str(error), entry=self._next_entry)

    def _take_record(self, line: Line, raw: bytes) -> Suspect | None:
        match line:
            case Audited():
                return self._take_entry(line, raw)
            case SignedTreeHead():
                return self._take_head(line, raw)
        kind = Kind.DUPLICATE if line in (self._header, self._signed) else Kind.INSERTED
        return self._suspect(kind, "a file has one header and one registry of keys")

    def _take_header(self, line: Line) -> Suspect | None:
        if not isinstance(line, Header):
            return self._absent("the header", Header)
        self._header = line
        return None

    def _take_registry(self, line: Line) -> Suspect | None:
        if not isinstance(line, SignedKeys):
            return self._absent("the registry of keys", SignedKeys)
        try:
            if line.root_fingerprint != self._root_fingerprint:
                return self._suspect(Kind.UNTRUSTED_ROOT, "the root is not that of the fingerprint that was given")
            self._keys = line.opened(self._root_fingerprint)
        except (NotAuthorised, BadSignature):
            return self._suspect(Kind.WRONG_SIGNATURE, "the registry of keys is not signed by the root")
        self._signed = line
        if self._given is not None and not self._given.is_genuine(self._keys, self._verify):
            detail = "no sequencer's key in the file's registry, in its time, signed the head that was given"
            return Suspect(fault=Fault(kind=Kind.WRONG_SIGNATURE, line=0, detail=detail))
        return self._compared()

    def _absent(self, what: str, kind: type[Line]) -> Suspect:
        return Suspect(
            fault=self._fault(Kind.MISSING, f"{what} should stand here"),
            wanted=lambda line: isinstance(line, kind),
            if_wanted=Kind.REORDERED,
        )

    # --- entries

    def _take_entry(self, entry: Audited, raw: bytes) -> Suspect | None:
        suspect = self._stranger(entry) or self._misplaced(entry, raw) or self._out_of_sequence(entry)
        if suspect is not None:
            return suspect
        content = entry.request.content
        self._chain = content.chain
        self._sequences[content.producer] = content.sequence
        self._tree, self._last = self._tree.grown(entry.leaf), entry.hash
        return self._compared()

    def _stranger(self, entry: Audited) -> Suspect | None:
        """Not of this chain, or not from who it says."""
        if self._chain and entry.chain != self._chain:
            return self._suspect(Kind.INSERTED, f"of chain {entry.chain}, not {self._chain}", entry=entry.number)
        if self._registry.sequencer(entry.key) is None:
            what = "no sequencer's key signed that it stands here"
        elif not entry.is_entered(self._registry, self._verify):
            what = "not what its sequencer signed: another number, link, term or request"
            return self._unless_followed(Kind.ALTERED, what, entry)
        elif self._has_ended(entry):
            what = "its sequencer's key held no more when it was chained"
        elif not entry.request.is_signed(self._registry, self._verify):
            what = f"not signed by a key of {entry.request.content.service}"
        elif not entry.request.key_held(self._registry, now=self._no_earlier(entry)):
            what = "its producer's key did not hold when it was made, or no more when it was chained"
        else:
            return None
        return self._unless_followed(Kind.WRONG_SIGNATURE, what, entry)

    def _misplaced(self, entry: Audited, raw: bytes) -> Suspect | None:
        """Genuine, but not what follows the entry before it."""
        numbered, linked = entry.number == self._next, entry.previous == self._last
        if numbered and linked:
            return None
        detail = f"stands where entry {self._next} should"
        if numbered or linked:
            what = "does not name the hash of the entry before it" if numbered else detail
            return self._unless_followed(Kind.ALTERED, what, entry)
        if entry.number > self._next:
            return self._ahead(raw, f"entry {entry.number} {detail}")
        if entry.request.content.sequence <= self._sequences.get(entry.request.content.producer, 0):
            return self._suspect(Kind.DUPLICATE, f"{detail}; it came before", entry=entry.number)
        return self._unless_followed(Kind.FORKED, f"{detail}: another entry {entry.number} came before", entry)

    def _out_of_sequence(self, entry: Audited) -> Suspect | None:
        """In its place in the chain, but not in its producer's count: who chained it left out or doubled some."""
        content = entry.request.content
        expected = self._sequences.get(content.producer, 0) + 1
        if content.sequence == expected:
            return None
        what = f"{content.producer} is at {expected}, this is its {content.sequence}"
        kind = Kind.DUPLICATE if content.sequence < expected else Kind.SEQUENCE_GAP
        return self._suspect(kind, what, entry=entry.number)

    # --- heads

    def _take_head(self, signed: SignedTreeHead, raw: bytes) -> Suspect | None:
        head = signed.head
        suspect = self._strange_head(signed) or self._misplaced_head(signed, raw)
        if suspect is not None:
            return suspect
        if (head.root, head.last) != (self._tree.root, self._last):
            return self._suspect(Kind.FORKED, self._other_entries("this head"))
        self._chain, self._head = head.chain, signed
        return None

    def _strange_head(self, signed: SignedTreeHead) -> Suspect | None:
        if not signed.is_genuine(self._registry, self._verify):
            return self._suspect(Kind.WRONG_SIGNATURE, "no sequencer's key, in its time, signed this head")
        if self._chain and signed.head.chain != self._chain:
            return self._suspect(Kind.INSERTED, f"a head of chain {signed.head.chain}, not {self._chain}")
        return None

    def _misplaced_head(self, signed: SignedTreeHead, raw: bytes) -> Suspect | None:
        head = signed.head
        if signed == self._head:
            return self._suspect(Kind.DUPLICATE, "the head before it once more")
        if head.size > self._tree.size:
            return self._ahead(raw, f"a head over {head.size} entries stands after entry {self._tree.size}")
        if head.size < self._tree.size or (self._head is not None and head.at <= self._head.head.at):
            return self._suspect(Kind.REORDERED, f"a head over {head.size} entries, later than its place")
        return None

    def _compared(self) -> Suspect | None:
        """With the head that was given, once the entries have come to its size."""
        if self._given is None or self._given.head.size != self._tree.size:
            return None
        head = self._given.head
        if self._chain and head.chain != self._chain:
            detail = f"the head that was given is of chain {head.chain}, the file of {self._chain}"
            return Suspect(fault=Fault(kind=Kind.OTHER_CHAIN, line=0, detail=detail))
        if (head.root, head.last) != (self._tree.root, self._last):
            fault = self._fault(Kind.FORKED, self._other_entries("the head that was given"), entry=head.size)
            return Suspect(fault=fault)
        self._agreed = self._given
        return None

    def _cut_off(self) -> Fault | None:
        """What the end of the file leaves open."""
        if self._keys is None:
            return Fault(
                kind=Kind.TRUNCATED, line=self._line + 1, detail="the file ends before the registry of keys"
            )
        if self._given is None:
            return None
        head = self._given.head
        if self._chain and head.chain != self._chain:
            detail = f"the head that was given is of chain {head.chain}, the file of {self._chain}"
            return Fault(kind=Kind.OTHER_CHAIN, line=0, detail=detail)
        if head.size > self._tree.size:
            detail = f"the file ends here; the head that was given is over {head.size} entries"
            return Fault(kind=Kind.TRUNCATED, line=self._line + 1, entry=self._next, detail=detail)
        return None

    # --- suspects

    def _fault(self, kind: Kind, detail: str, entry: int | None = None) -> Fault:
        return Fault(kind=kind, line=self._line, entry=entry, detail=detail)

    def _suspect(self, kind: Kind, detail: str, *, entry: int | None = None) -> Suspect:
        return Suspect(fault=self._fault(kind, detail, entry))

    def _unless_followed(self, kind: Kind, detail: str, entry: Audited) -> Suspect:
        """`kind`, but inserted if the true entry, or a head without any, follows."""
        size = self._tree.size
        root, last = self._tree.root, self._last

        def head_without_it(line: Line) -> bool:
            if not isinstance(line, SignedTreeHead) or not line.is_genuine(self._registry, self._verify):
                return False
            return (line.head.size, line.head.root, line.head.last) == (size, root, last)

        def wanted(line: Line) -> bool:
            return self._is_next(line) or head_without_it(line)

        fault = self._fault(kind, detail, entry.number)
        return Suspect(fault=fault, wanted=wanted, if_wanted=Kind.INSERTED)

    def _ahead(self, raw: bytes, detail: str) -> Suspect:
        """Something that belongs further on: it was moved or copied here, or what should be between is gone."""
        return Suspect(
            fault=self._fault(Kind.MISSING, detail, self._next),
            raw=raw,
            wanted=self._is_next,
            if_wanted=Kind.REORDERED,
            if_copied=Kind.DUPLICATE,
        )

    def _is_next(self, line: Line) -> bool:
        if not isinstance(line, Audited) or (line.number, line.previous) != (self._next, self._last):
            return False
        signed = line.request.is_signed(self._registry, self._verify)
        return signed and line.is_entered(self._registry, self._verify)

    def _has_ended(self, entry: Audited) -> bool:
        key = self._registry.sequencer(entry.key)
        return key is None or key.ended(self._no_earlier(entry))

    def _no_earlier(self, entry: Audited) -> datetime:
        """An entry was chained after the head before it, whatever time it gives itself."""
        at = entry.request.content.at
        return at if self._head is None else max(at, self._head.head.at)

    def _other_entries(self, what: str) -> str:
        agreed = self._head.head.size if self._head else 0
        return f"{what} is not over these entries; they differ between {agreed + 1} and {self._tree.size}"
