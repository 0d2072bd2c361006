"""All scores of a batch of faces, laid out so that finding the few that matter costs one pass.

One matrix multiply, in tiles that stay in the processor's cache: while a tile is there, the largest score of
each of its blocks is taken. Whoever looks for high scores then looks at the blocks, and only into those that
can hold one. Nothing is approximated: a block's largest score bounds all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.match.core.matrix import Matrix

# Columns a tile, and blocks of it: 32 faces x 4096 scores are half a megabyte, the rows of 128 numbers two.
_TILE = 4096
_BLOCKS = 128
_DEEP = _TILE // _BLOCKS

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scores:
    """Raw scores of `faces` faces against `entries` rows: [tiles, faces, deep, blocks].

    Row r stands in tile r // 4096, at deep (r % 4096) // 128, block r % 128; -inf where there is no row.
    `best` is the largest score of each block, [faces, tiles * blocks].
    """

    entries: int
    tiles: Matrix
    best: Matrix

    @property
    def faces(self) -> int:
        return int(self.best.shape[0])

    def of_face(self, face: int) -> Matrix:
        """Every raw score of one face, [entries]: for tests and for lists of a few."""
        return self.tiles[:, face].reshape(-1)[: self.entries]

    def largest(self, count: int) -> Floats:
        """The `count` largest raw scores of each face, descending, [faces, count]; `count` <= `entries`.

        They all lie in the `count` blocks whose best are largest.
        """
        blocks = self.best.shape[1]
        if count < blocks:
            chosen = np.argpartition(self.best, blocks - count, axis=1)[:, -count:]
            every = np.arange(self.faces)[:, np.newaxis]
            inside = self.tiles[chosen // _BLOCKS, every, :, chosen % _BLOCKS].reshape(self.faces, -1)
        else:
            inside = self.tiles.swapaxes(0, 1).reshape(self.faces, -1)
        largest = np.partition(inside, inside.shape[1] - count, axis=1)[:, -count:]
        return np.sort(largest, axis=1)[:, ::-1].astype(np.float64)

    def reached(self, floors: Floats) -> list[int]:
        """The faces that have a raw score of at least their floor; mostly none."""
        return [int(face) for face in np.flatnonzero(self.best.max(axis=1) >= floors)]

    def at_least(self, face: int, floor: float) -> tuple[npt.NDArray[np.intp], Floats]:
        """The rows whose raw score is `floor` or more, ascending, and those scores."""
        chosen = np.flatnonzero(self.best[face] >= floor)
        inside = self.tiles[chosen // _BLOCKS, face, :, chosen % _BLOCKS]
        which, deep = np.nonzero(inside >= floor)
        block = chosen[which]
        rows = (block // _BLOCKS) * _TILE + deep * _BLOCKS + block % _BLOCKS
        order = np.argsort(rows)
        return rows[order], inside[which, deep][order].astype(np.float64)


def scores(rows: Matrix, probes: Matrix) -> Scores:
    """Every row against every probe: float32 [entries, d] and [faces, d], both l2-normalised."""
    entries, faces = rows.shape[0], probes.shape[0]
    count = -(-entries // _TILE)
    tiles = np.empty((count, faces, _DEEP, _BLOCKS), dtype=np.float32)
    best = np.empty((faces, count, _BLOCKS), dtype=np.float32)
    for number, tile in enumerate(tiles):
        here = rows[number * _TILE : (number + 1) * _TILE]
        flat = tile.reshape(faces, _TILE)
        if here.shape[0] < _TILE:
            flat[:, here.shape[0] :] = -np.inf
        np.matmul(probes, here.T, out=flat[:, : here.shape[0]])
        np.max(tile, axis=1, out=best[:, number])
    return Scores(entries, tiles, best.reshape(faces, -1))
