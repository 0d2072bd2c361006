"""Generates proto/gen from proto/signpost/v1, or with --check says what there is out of date."""

from __future__ import annotations

import argparse
import filecmp
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
GENERATED = PROTO / "gen"


def generate(into: Path) -> None:
    """Write messages and stubs of every .proto, and gRPC code of those that define a service."""
    into.mkdir(parents=True, exist_ok=True)
    files = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("signpost/v1/*.proto"))
    services = [name for name in files if "\nservice " in (PROTO / name).read_text()]
    for arguments in (
        [f"--python_out={into}", f"--pyi_out={into}", *files],
        [f"--grpc_python_out={into}", *services],
    ):
        if protoc.main(["protoc", f"-I{PROTO}", *arguments]) != 0:
            raise SystemExit("protoc refused a file; its message stands above")


def stale(fresh: Path) -> list[str]:
    """Paths, relative to proto/gen, that differ from `fresh` or stand in only one of the two."""
    names = {
        path.relative_to(base)
        for base in (fresh, GENERATED)
        for path in base.rglob("*_pb2*.py*")
        if path.suffix != ".pyc"
    }
    return sorted(
        str(name)
        for name in names
        if not ((fresh / name).exists() and (GENERATED / name).exists())
        or not filecmp.cmp(fresh / name, GENERATED / name, shallow=False)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if something is out of date")
    if not parser.parse_args().check:
        generate(GENERATED)
        return 0
    with tempfile.TemporaryDirectory() as fresh:
        generate(Path(fresh))
        out_of_date = stale(Path(fresh))
    for name in out_of_date:
        print(f"proto/gen/{name} is out of date: run `make proto` and commit the result", file=sys.stderr)
    return 1 if out_of_date else 0


if __name__ == "__main__":
    sys.exit(main())
