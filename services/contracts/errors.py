"""Errors say what a loop must do with the message in hand.

SignpostError
├── Permanent        this input can never be handled: dead-letter it (or pause where nothing may be lost)
│   ├── Foreign      nothing shows that one of ours wrote it: pass over it, count it, go on
│   │   ├── Undecodable  the bytes are not what their topic promises
│   │   ├── Tampered     the bytes are not what their writer sealed
│   │   ├── Unproven     the service that may write it did not sign it
│   │   └── Copied       it was read before: somebody has written it again
│   └── Oversized    what was to be written is larger than its topic takes
├── Transient        trying again may help: back off, then pause the partition
└── Misconfigured    a setting, file or document is wrong: refuse to start, say which and what to do

Anything else is a bug: the process stops, and once understood the case gets a type here and a test.
"""

from __future__ import annotations


class SignpostError(Exception):
    """Root of every error that a Signpost process raises on purpose. Texts hold no personal data."""


class Permanent(SignpostError):
    """This input can never be handled. `reason` is from a closed set: it becomes a metric label."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Foreign(Permanent):
    """Anybody who may write to the topic could have written this: no number of them stops anything."""


class Undecodable(Foreign):
    """The bytes are not what their topic promises."""

    def __init__(self, message: str) -> None:
        super().__init__("undecodable", message)


class Tampered(Foreign):
    """Authenticated decryption failed: wrong key, altered bytes, or moved from another place."""

    def __init__(self, message: str) -> None:
        super().__init__("not_authentic", message)


class Unproven(Foreign):
    """The service that alone may write this did not sign it as it lies here."""

    def __init__(self, message: str) -> None:
        super().__init__("unproven", message)


class Copied(Foreign):
    """One of ours wrote it, and it was read before: its number in its lane, or in its run, was passed."""

    def __init__(self, message: str) -> None:
        super().__init__("copied", message)


class Oversized(Permanent):
    """What was to be written is larger than its topic takes: make it smaller, or do without it."""

    def __init__(self, message: str) -> None:
        super().__init__("too_large", message)


class Transient(SignpostError):
    """Trying again may help; nothing has been lost."""


class Misconfigured(SignpostError):
    """A setting, file or document is wrong; the text says what, where and what to do."""
