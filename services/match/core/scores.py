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

# Rows a tile at most: 4096 rows of 128 numbers are two megabytes, their scores for 32 faces half a one.
_TILE = 4096
# Blocks a tile; each holds every 128th row of it.
_BLOCKS = 128

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Scores:
    """Raw scores of `entries` rows against some faces: `tiles` is [tiles, deep, blocks, faces].

    Row r stands in tile r // rows, rows = deep * blocks being a tile's, at deep (r % rows) // blocks, block
    r % blocks; -inf where there is no row. `best` is the largest score of each block, [faces, tiles * blocks].
    """

    entries: int
    tiles: Matrix
    best: Matrix

    @property
    def faces(self) -> int:
        return int(self.best.shape[0])

    def of_face(self, face: int) -> Matrix:
        """Every raw score of one face, [entries]: for tests and for lists of a few."""
        return self.tiles[..., face].reshape(-1)[: self.entries]

    def of_rows(self, face: int, rows: Places) -> Floats:
        """The raw scores of these rows of one face, in their order."""
        tile, inside = np.divmod(rows, self.tiles.shape[1] * _BLOCKS)
        deep, block = np.divmod(inside, _BLOCKS)
        return np.asarray(self.tiles[tile, deep, block, face], dtype=np.float64)

    def largest(self, count: int) -> Floats:
        """The `count` largest raw scores of each face, descending, [faces, count]; `count` <= `entries`.

        They all lie in the `count` blocks whose best are largest.
        """
        blocks = self.best.shape[1]
        if count < blocks:
            chosen = np.argpartition(self.best, blocks - count, axis=1)[:, -count:]
            inside = self._inside(chosen, np.arange(self.faces)[:, np.newaxis]).reshape(self.faces, -1)
        else:
            inside = np.moveaxis(self.tiles, 3, 0).reshape(self.faces, -1)
        largest = np.partition(inside, inside.shape[1] - count, axis=1)[:, -count:]
        return np.sort(largest, axis=1)[:, ::-1].astype(np.float64)

    def reached(self, floors: Floats) -> list[int]:
        """The faces that have a raw score of at least their floor; mostly none."""
        return [int(face) for face in np.flatnonzero(self.best.max(axis=1) >= floors)]

    def at_least(self, face: int, floor: float) -> tuple[Places, Floats]:
        """The rows whose raw score is `floor` or more, ascending, and those scores."""
        chosen = np.flatnonzero(self.best[face] >= floor)
        inside = self._inside(chosen, np.full(chosen.shape, face))
        which, deep = np.nonzero(inside >= floor)
        tile, block = chosen[which] // _BLOCKS, chosen[which] % _BLOCKS
        rows = (tile * self.tiles.shape[1] + deep) * _BLOCKS + block
        order = np.argsort(rows)
        return rows[order], inside[which, deep][order].astype(np.float64)

    def _inside(self, chosen: Places, faces: Places) -> Matrix:
        """The scores of these blocks for these faces, [..., deep]."""
        return np.asarray(self.tiles[chosen // _BLOCKS, :, chosen % _BLOCKS, faces])


def scores(rows: Matrix, probes: Matrix) -> Scores:
    """Every row against every probe: float32 [entries, d] and [faces, d], both l2-normalised."""
    entries, faces = rows.shape[0], probes.shape[0]
    deep = min(_TILE // _BLOCKS, -(-entries // _BLOCKS))
    height = deep * _BLOCKS
    # The list on the left and the faces, packed, on the right: half as fast again as the other way round.
    packed = np.ascontiguousarray(probes.T)
    tiles = np.empty((-(-entries // height), deep, _BLOCKS, faces), dtype=np.float32)
    best = np.empty((tiles.shape[0], _BLOCKS, faces), dtype=np.float32)
    for number, tile in enumerate(tiles):
        here = rows[number * height : (number + 1) * height]
        flat = tile.reshape(height, faces)
        flat[here.shape[0] :] = -np.inf
        np.matmul(here, packed, out=flat[: here.shape[0]])
        np.max(tile, axis=0, out=best[number])
    packed.fill(0)
    return Scores(entries, tiles, np.ascontiguousarray(best.reshape(-1, faces).T))
