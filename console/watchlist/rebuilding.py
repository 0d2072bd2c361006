"""Makes a past list again of its manifest and the pictures, and says whether it is the one that was searched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from console.watchlist.enrolment import Enrolment, Template
from console.watchlist.fillers import fillers
from services.contracts import scoring
from services.contracts.sealed.faults import Fault
from services.contracts.sealed.manifest import Manifest, file_sha256
from services.contracts.sealed.rebuild import Enrolled, differences


def enrolled_again(root: Path, of: Manifest, enrolment: Enrolment) -> dict[str, Enrolled]:
    """Every picture of the list below `root`, by its hash, enrolled anew; other files are not looked at."""
    wanted = {one.image_sha256 for entry in of.entries for one in entry.pictures}
    model = enrolment.model().id
    found: dict[str, Enrolled] = {}
    for path in sorted(one for one in root.rglob("*") if one.is_file()):
        content = path.read_bytes()
        sha256 = file_sha256(content)
        if sha256 in wanted - found.keys():
            answer = enrolment.enrol(content)
            if isinstance(answer, Template):
                found[sha256] = Enrolled(model, answer.vector)
    return found


def not_as_searched(of: Manifest, found: Mapping[str, Enrolled]) -> Iterator[Fault]:
    """Where the list made of these is another than the one that was searched; none if it is, bit for bit."""
    yield from differences(of, found, _fillers(of, found))


def _fillers(of: Manifest, found: Mapping[str, Enrolled]) -> scoring.Floats:
    """The cohort's fillers, made up again; none where a picture is missing, for they follow from all of them."""
    none = np.zeros((0, of.head.template_length), np.float32)
    rows = [
        [found[one.image_sha256].vector for one in entry.pictures if one.image_sha256 in found]
        for entry in of.entries
    ]
    whole = all(len(made) == len(entry.pictures) for made, entry in zip(rows, of.entries, strict=True))
    if of.cohort.filling is None or not whole:
        return none
    return fillers(
        of.head.fillers,
        [scoring.fuse(np.stack(made)) for made in rows],
        of.cohort.filling,
        templates=[vector for made in rows for vector in made],
        alike=of.head.limits.alike,
    )
