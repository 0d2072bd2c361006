"""`signpost audit verify FILE --root FINGERPRINT [--head HEAD]`, as a function of its words.

A command of the console calls it with the words after "verify" and exits with what it returns:
`raise typer.Exit(main([str(file), "--root", root, *(["--head", str(head)] if head else [])]))`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from console.audit.verify import read_head, verify
from services.contracts.errors import Misconfigured


def main(argv: Sequence[str]) -> int:
    """Print the verdict. 0: whole; 1: a fault, named; 2: a file that cannot be read, or a head that is none."""
    words = _parser().parse_args(argv)
    try:
        head = read_head(words.head) if words.head else None
        verdict = verify(words.file, words.root, head)
    except (OSError, Misconfigured) as error:
        print(error, file=sys.stderr)
        return 2
    for line in verdict.lines():
        print(line)
    return 0 if verdict.ok else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="signpost audit verify", description="Check an exported audit chain.")
    parser.add_argument("file", type=Path, help="the exported chain")
    parser.add_argument("--root", required=True, help="the root's fingerprint, as printed in every report")
    parser.add_argument("--head", type=Path, help="a signed head from a report or a sink (a file; its last line)")
    return parser
