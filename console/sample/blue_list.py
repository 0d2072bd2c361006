"""The sample's list as an operator would prepare it: a folder a subject, with pictures and a subject.yaml."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import yaml

from console.sample.sitters import LISTED, Sitter


def write_blue_list(folder: Path, pictures: Path, *, today: date, sitters: Sequence[Sitter] = LISTED) -> None:
    """Write the listed sitters' folders below `folder`, pictures copied from `pictures`."""
    for sitter in sitters:
        subject = folder / sitter.reference.lower()
        subject.mkdir(parents=True, exist_ok=True)
        for portrait in sitter.listed_with:
            shutil.copyfile(pictures / portrait.file, subject / portrait.file)
        (subject / "subject.yaml").write_text(
            yaml.safe_dump(
                {
                    "reference": sitter.reference,
                    "category": "blue_list",
                    "source": "sample exercise",
                    "reason": "test subject seeded into the crowd, to measure what is found",
                    "taken_on": {portrait.file: portrait.taken_on for portrait in sitter.listed_with},
                    "expires_on": (today + timedelta(days=1)).isoformat(),
                },
                sort_keys=False,
            )
        )
