"""Every surface there is."""

from __future__ import annotations

from tests.fuzz import doors, files, headers, media, topics
from tests.fuzz.surface import Surface

ALL: tuple[Surface, ...] = (*topics.SURFACES, *headers.SURFACES, *doors.SURFACES, *media.SURFACES, *files.SURFACES)
