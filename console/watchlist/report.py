"""What the operator sees of a build: folders, pictures taken and refused, the list that came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.watchlist.build import Built, NothingBuilt, SubjectReport


def lines(result: Built | NothingBuilt) -> Iterator[str]:
    """The report, line by line; folder and file names are the operator's own."""
    yield from _table(result.subjects)
    if isinstance(result, NothingBuilt):
        yield "nothing was built: no subject has a picture left"
        return
    for one, other in result.duplicates:
        yield f"look at {one} and {other}: they may be one person"
    gallery = result.gallery
    fillers = len(gallery.entries) - gallery.subjects
    yield f"list      {gallery.name}: {gallery.subjects} subjects and {fillers} fillers (nobody)"
    yield f"model     {gallery.model_id}"
    yield f"scores    {gallery.score_kind}"
    yield f"digest    {gallery.digest}"


def _table(subjects: Sequence[SubjectReport]) -> Iterator[str]:
    width = max([len("subject"), *(len(one.name) for one in subjects)])
    yield f"{'subject':<{width}}  taken  refused"
    for one in subjects:
        note = f"  NOT ON THE LIST: {one.why_not}" if one.why_not else ""
        yield f"{one.name:<{width}}  {len(one.taken):>5}  {len(one.refused):>7}{note}"
        for name, refused in one.refused:
            yield f"{'':<{width}}    {name}: {refused.reason}" + (f" ({refused.detail})" if refused.detail else "")
