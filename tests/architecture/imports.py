"""Reads which module imports what, without running any."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
ROOTS = ("services", "console", "evaluation")


@dataclass(frozen=True)
class Import:
    """`name` is the full path of what is imported: "a.b.c" for `from a.b import c`."""

    line: int
    name: str

    def is_of(self, *packages: str) -> bool:
        """Whether it is one of these packages or something inside one."""
        return any(self.name == package or self.name.startswith(package + ".") for package in packages)


@dataclass(frozen=True)
class Source:
    """One file of ours, its path from the root of the repository."""

    path: PurePosixPath
    tree: ast.Module

    @property
    def module(self) -> str:
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def imports(self) -> Iterator[Import]:
        """Every import, also inside functions and `if TYPE_CHECKING`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(node.lineno, alias.name)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield Import(node.lineno, f"{self._origin(node)}.{alias.name}")

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.path.parts[: len(self.path.parts) - node.level]
        return ".".join([*package, *([node.module] if node.module else [])])


def sources(root: Path) -> list[Source]:
    """Every Python file under the roots of `root`, in the order of their paths."""
    files = [file for top in ROOTS for file in sorted((root / top).rglob("*.py"))]
    return [
        Source(PurePosixPath(file.relative_to(root).as_posix()), ast.parse(file.read_text("utf-8"), str(file)))
        for file in files
    ]
