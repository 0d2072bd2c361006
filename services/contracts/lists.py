"""Where sealed lists lie in the durable Redis. Parts lie apart: match opens no picture, and review no template."""

from __future__ import annotations


def front(deployment: str, digest: str) -> str:
    """Redis name of what stands before a sealed list's parts. Written last: where it is, the list is."""
    return f"list:{deployment}:{digest}:front"


def part(deployment: str, digest: str, name: str) -> str:
    """Redis name of one part of a sealed list, sealed by itself."""
    return f"list:{deployment}:{digest}:part:{name}"


def everything(deployment: str) -> str:
    """How every Redis name of a deployment's lists begins."""
    return f"list:{deployment}:"
