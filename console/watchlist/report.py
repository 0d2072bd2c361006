"""What people see of a list: folders, pictures taken and refused, what forbids sealing it, and its head."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from console.watchlist.build import Built, NothingBuilt, SubjectReport
from services.contracts.sealed.faults import Fault
from services.contracts.sealed.manifest import Manifest

_TIME = "%Y-%m-%d %H:%M UTC"


def lines(result: Built | NothingBuilt) -> Iterator[str]:
    """The report of a build, line by line; folder and file names are the operator's own."""
    width = table_width(one.name for one in result.subjects)
    yield table_head(width)
    for one in result.subjects:
        yield from subject(one, width)
    yield from outcome(result)


def outcome(result: Built | NothingBuilt) -> Iterator[str]:
    """What comes after the subjects."""
    if isinstance(result, NothingBuilt):
        yield "nothing was built: no subject has a picture left"
        return
    for pair in result.alike:
        one, other = result.folders[pair.one], result.folders[pair.other]
        yield f"look at {one} and {other}: they may be one person, or kin (entries {pair.one}, {pair.other})"
    yield from faults(result.faults, result.folders)
    yield from head(result.draft.manifest)


def faults(found: Iterable[Fault], folders: Mapping[str, str] | None = None) -> Iterator[str]:
    """What forbids sealing, a line each; `folders` name an entry's folder where it is known."""
    for one in found:
        folder = (folders or {}).get(one.entry)
        yield f"NOT TO BE SEALED: {one}" + (f" (folder {folder})" if folder else "")


def head(of: Manifest) -> Iterator[str]:
    """What a person signs, in figures: nobody's name, no picture."""
    told = of.head
    thresholds = ", ".join(f"{one.score:.3f} from {one.shots} shots" for one in told.thresholds)
    categories = Counter(str(entry.category) for entry in of.entries)
    ages = Counter(str(entry.age_band) for entry in of.entries)
    yield f"list      {told.name} of {told.deployment}"
    yield f"has       {told.entries} subjects and {told.fillers} fillers (nobody), {told.templates} templates"
    yield f"caps      {told.bounds.max_entries} subjects, {told.bounds.max_templates} templates"
    yield f"of        {_counted(categories)}; {_counted(ages)}"
    yield f"model     {told.model_id}"
    yield f"scores    {told.score_kind}, thresholds {thresholds}"
    resolved = len(of.cohort.resolutions)
    yield f"alike     from {told.limits.alike:.3f}: {len(of.cohort.apart)} pairs, {resolved} resolved"
    if of.entries:
        yield f"stale     the first entry at {min(one.status.stale_at for one in of.entries).strftime(_TIME)}"
        yield f"expires   the first entry at {min(one.expires_at for one in of.entries).strftime(_TIME)}"
    yield f"digest    {of.digest}"


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(found.items()))


def table_width(names: Iterable[str]) -> int:
    """Of the first column."""
    return max([len("subject"), *map(len, names)])


def table_head(width: int) -> str:
    return f"{'subject':<{width}}  taken  refused"


def subject(one: SubjectReport, width: int) -> Iterator[str]:
    """A subject's line, and one for each picture that was not taken."""
    note = f"  NOT ON THE LIST: {one.why_not}" if one.why_not else ""
    yield f"{one.name:<{width}}  {len(one.taken):>5}  {len(one.refused):>7}{note}"
    for name, refused in one.refused:
        yield f"{'':<{width}}    {name}: {refused.reason}" + (f" ({refused.detail})" if refused.detail else "")
