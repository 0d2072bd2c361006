"""Names of files as people's computers give them: which are nobody's pictures, and when two are one name."""

from __future__ import annotations

import unicodedata

# What file systems, cameras, indexers and network drives leave beside people's own files; in lower case.
_SYSTEM = frozenset(
    {
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "zbthumbnail.info"),
        *("@eadir", "@recycle", "#recycle", "#snapshot", "__macosx", "$recycle.bin", "recycler"),
        *("system volume information", "lost+found", "network trash folder", "temporary items"),
        "icon\r",
    }
)

# Joiners of letters, and marks of a line's direction that end with their word.
_UNSEEN = "\u200c\u200d\u200e\u200f"


def is_system(name: str) -> bool:
    """Whether a file or folder of that name is hidden, a system's own, or an editor's backup: nobody made it as
    a picture, and nobody would miss it."""
    return name.startswith((".", "~$")) or name.endswith("~") or name.lower() in _SYSTEM


def is_one_line(text: str) -> bool:
    """Whether it is one line that is read as it is written: nothing breaks it, turns its direction over, or is no
    character. What joins letters (Persian, emoji), and blanks of any width, are text."""
    return all(sign.isprintable() or sign in _UNSEEN or unicodedata.category(sign) == "Zs" for sign in text)


def one_form(name: str) -> str:
    """The one form in which names are compared: a Mac writes `ë` as two characters, and who types it as one."""
    return unicodedata.normalize("NFC", name)
