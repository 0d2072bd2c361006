"""Open-set identification: random lists, people on them, people not on them, tracks of several shots."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.contracts.scoring import fuse, gallery_t, raw_scores

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]

# One person with hundreds of pictures must not be most of the result.
MAX_TRACKS_A_SUBJECT = 20


@dataclass(frozen=True)
class Faces:
    """Vectors [n, d] of length 1 and whose each is, `subjects` [n] in 0..k-1."""

    vectors: Floats = field(repr=False)
    subjects: Indices = field(repr=False)

    def by_subject(self) -> list[Indices]:
        """The rows of each subject."""
        order = np.argsort(self.subjects, kind="stable")
        counts = np.bincount(self.subjects)
        return list(np.split(order, np.cumsum(counts)[:-1]))


@dataclass(frozen=True)
class Trial:
    """One random list and the tracks searched in it.

    `gallery` [n, d]; tracks are [tracks, shots, d] in the order the shots come; `mates` [mated] is the
    gallery row of each mated track.
    """

    gallery: Floats = field(repr=False)
    mated: Floats = field(repr=False)
    mates: Indices = field(repr=False)
    nonmated: Floats = field(repr=False)


@dataclass(frozen=True)
class SearchScores:
    """What the searches of a trial's tracks gave, at each stage (number of shots fused so far).

    `own` [stages, mated]: the score of the track's own entry; `strangers` [stages, nonmated]: the best
    score on the list.
    """

    own: Floats = field(repr=False)
    strangers: Floats = field(repr=False)


def draw(faces: Faces, rng: np.random.Generator, *, gallery_size: int, enrolled: int, shots: int) -> Trial:
    """A list of `gallery_size` subjects, each enrolled with the mean of up to `enrolled` pictures.

    Up to half of those with pictures enough for enrolment and a track are on the list and searched for.
    Of the others, those with the fewest pictures fill the list up, and the rest are the strangers. Raises
    ValueError when the faces are too few for it.
    """
    rows = [rng.permutation(r) for r in faces.by_subject()]
    able = rng.permutation([i for i, r in enumerate(rows) if len(r) >= enrolled + shots])
    listed = able[: min(gallery_size, len(able) // 2)].tolist()
    others = sorted(set(range(len(rows))) - set(listed), key=lambda i: (len(rows[i]), rng.random()))
    missing = gallery_size - len(listed)
    fillers, strangers = others[:missing], [i for i in others[missing:] if len(rows[i]) >= shots]
    if not listed or not strangers or len(fillers) < missing:
        raise ValueError(f"too few people for a list of {gallery_size} and tracks of {shots}")
    gallery = np.stack([fuse(faces.vectors[rows[i][:enrolled]]) for i in [*listed, *fillers]])
    mated = [_tracks(rows[i][enrolled:], shots) for i in listed]
    nonmated = np.concatenate([_tracks(rows[i], shots) for i in strangers])
    mates = np.repeat(np.arange(len(mated)), [len(tracks) for tracks in mated])
    return Trial(gallery, faces.vectors[np.concatenate(mated)], mates, faces.vectors[nonmated])


def search(trial: Trial, stages: tuple[int, ...], *, normalised: bool) -> SearchScores:
    """Search every track once at each of `stages`, as the pipeline does while a track grows."""
    own = [
        _scores(trial.mated[:, :stage], trial.gallery, normalised=normalised)[
            np.arange(len(trial.mates)), trial.mates
        ]
        for stage in stages
    ]
    strangers = [
        _scores(trial.nonmated[:, :stage], trial.gallery, normalised=normalised).max(axis=1) for stage in stages
    ]
    return SearchScores(np.stack(own), np.stack(strangers))


def _scores(shots: Floats, gallery: Floats, *, normalised: bool) -> Floats:
    scores = raw_scores(fuse(shots), gallery)
    return gallery_t(scores) if normalised else scores


def _tracks(rows: Indices, shots: int) -> Indices:
    count = min(len(rows) // shots, MAX_TRACKS_A_SUBJECT)
    return rows[: count * shots].reshape(count, shots)
