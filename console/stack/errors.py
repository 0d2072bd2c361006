"""What can go wrong with the local stack, by what a caller can do about it.

StackError
├── StackUnavailableError  a part cannot be had here (package missing, no network): skip or install
├── WrongContentError      a fetched file is not the one that was pinned: never use it
└── ChildDiedError         a server ended, or never became ready: read its log
"""

from __future__ import annotations


class StackError(Exception):
    """Anything the local stack refuses or fails to do; the text is for the person at the keyboard."""


class StackUnavailableError(StackError):
    """A part of the stack cannot be had on this machine now."""


class WrongContentError(StackError):
    """A file's bytes differ from the pinned ones."""


class ChildDiedError(StackError):
    """A server process ended, or did not become ready in time; the text names its log."""
