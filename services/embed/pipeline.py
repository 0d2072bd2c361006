"""A frame becomes faces: detect, follow, choose shots, embed, fuse, publish.

Reads: frames. Writes: faces, counts. Next stop: services/match/pipeline.py
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from services.contracts import counts, ids
from services.contracts.counts import Count
from services.contracts.events import FaceObserved, FrameCaptured, Shot
from services.contracts.ids import TrackId
from services.contracts.scoring import fuse
from services.embed.core.books import Books
from services.embed.core.frames import Frame
from services.embed.core.passages import Draft, KeptShot, Passage, Whereabouts
from services.embed.core.shots import Published, mean_quality
from services.embed.metrics import EmbedMetrics, Stage
from services.embed.ports import Detector, FaceWriter, FrameReader, Pictures, Recogniser
from services.embed.upright import UprightCheck
from services.embed.watch import Rules, Sight, Watch
from services.runtime.clock import Clock
from services.runtime.kafka.types import NOTHING, Dropped, Outcome, Output, Partition, Prepared, Record

# Below what is followed as a face, above noise: whatever may be a face is blurred in another's context.
_MAY_BE_A_FACE = 0.3


@dataclass(frozen=True)
class EmbedOutcome(Outcome):
    """An outcome and what `delivered` needs to know of it."""

    pending: int = 0
    captured: tuple[datetime, ...] = ()


class EmbedPipeline:
    """The loop's handler. The work thread owns the state; prepare and delivered touch only what is locked."""

    def __init__(  # noqa: PLR0913 - wiring
        self,
        deployment: ids.DeploymentId,
        *,
        reader: FrameReader,
        detector: Detector,
        recogniser: Recogniser,
        pictures: Pictures,
        writer: FaceWriter,
        rules: Rules,
        metrics: EmbedMetrics,
        clock: Clock,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._deployment = deployment
        self._reader = reader
        self._detector = detector
        self._recogniser = recogniser
        self._pictures = pictures
        self._writer = writer
        self._rules = rules
        self._watch = Watch(rules, recogniser.card, pictures, UprightCheck(detector).stands)
        self._metrics = metrics
        self._clock = clock
        self._on_tick = on_tick
        self._state = Draft({}, {})
        self._held: set[Partition] = set()
        self._books = Books()

    def prepare(self, record: Record) -> Frame | Dropped:
        """Decrypt and decode at the detector's size. Pool threads."""
        with self._metrics.timed(Stage.PREPARE):
            return self._reader.read(record)

    def handle(self, items: Sequence[Prepared[Frame]]) -> Outcome:
        """All steps of one batch; the state is taken over at the end, so a Transient leaves it as it was."""
        draft = self._state.copy()
        standing = self._standing(draft, items)
        sights = self._detect([one.item for one in standing])
        self._follow(draft, standing, sights)
        self._forget_refused(draft)
        due = self._due(draft)
        self._embed(draft, due, len(items))
        faces, captured = self._publish(draft, due)
        draft.settle_ended()
        draft.counts[Count.FRAMES_RECEIVED, ""] += len(items)
        runs = self._run_counts(items)
        for sight in sights:
            sight.wipe()
        return self._take_over(draft, (*faces, *runs), captured)

    def assigned(self, partitions: Collection[Partition]) -> None:
        """Their cameras' next frames begin new tracks."""
        self._held.update(partitions)
        self._books.assigned()

    def revoked(self, partitions: Collection[Partition]) -> None:
        """Their tracks are cut short."""
        self._held.difference_update(partitions)
        before = self._state.copy()
        self._state.drop(partitions)
        before.wipe_all_but(self._state)
        self._books.revoked(holds_nothing=not self._held)

    def delivered(self, outcome: Outcome) -> None:
        """Remember what is committed; measure how long it took. Delivery thread."""
        if not isinstance(outcome, EmbedOutcome):
            return
        self._books.delivered(outcome.pending)
        now = self._clock.now()
        for captured_at in outcome.captured:
            self._metrics.published((now - captured_at).total_seconds())

    def tick(self) -> Outcome:
        """End the tracks of cameras that have gone silent; let go of keys whose time is over."""
        self._on_tick()
        if not self._books.open:
            return NOTHING
        draft = self._state.copy()
        self._watch.end_silent(draft, now_s=self._clock.monotonic())
        draft.settle_ended()
        outcome = self._take_over(draft, (), ())
        return outcome if any(outcome.counts.values()) else NOTHING

    def _standing(self, draft: Draft, items: Sequence[Prepared[Frame]]) -> list[Prepared[Frame]]:
        """The frames that may still be looked at: of a suspension one may hear after a frame was prepared."""
        kept = []
        for one in items:
            event = one.item.event
            why = self._reader.refusal(event.camera, event.captured_at)
            if why is None:
                kept.append(one)
                continue
            draft.counts[Count.FRAMES_REFUSED, why] += 1
            self._metrics.frame_left(Count.FRAMES_REFUSED, why)
            one.item.small[:] = 0
        return kept

    def _forget_refused(self, draft: Draft) -> None:
        """Drop from the tracks of this batch the shots of moments that turned out not to be covered: a template is
        of all its shots, and none of it may be of such a moment."""
        for track in list(draft.touched):
            passage = draft.passages[track]
            kept = tuple(
                shot for shot in passage.shots if self._reader.refusal(passage.at.camera, shot.captured_at) is None
            )
            if len(kept) == len(passage.shots):
                continue
            # What was published of it will be refused by match as well: so what is left is news.
            said = passage.published and replace(passage.published, shots=0)
            draft.passages[track] = replace(
                passage, shots=kept, published=said, refused="refused", context_jpeg=b"", context_quality=-1.0
            )
            if not kept:
                del draft.touched[track]

    def _detect(self, frames: Sequence[Frame]) -> list[Sight]:
        with self._metrics.timed(Stage.DETECT):
            found = self._detector.detect(
                [frame.small for frame in frames],
                min_score=_MAY_BE_A_FACE,
                sizes=[(frame.event.width_px, frame.event.height_px) for frame in frames],
            )
        return [
            Sight(frame, faces, self._pictures, self._rules.max_pixels)
            for frame, faces in zip(frames, found, strict=True)
        ]

    def _follow(self, draft: Draft, items: Sequence[Prepared[Frame]], sights: Sequence[Sight]) -> None:
        now_s = self._clock.monotonic()
        with self._metrics.timed(Stage.WATCH):
            for one, sight in zip(items, sights, strict=True):
                at = Whereabouts(one.record.home, one.item.event.camera, one.item.camera_index)
                self._watch.look(draft, sight, at, now_s=now_s)

    def _due(self, draft: Draft) -> list[TrackId]:
        """The tracks that have become worth searching, or worth searching again."""
        policy = self._rules.policy
        passages = [draft.passages[track] for track in draft.touched]
        return [
            one.track
            for one in passages
            if policy.is_news(one.published, shots=len(one.shots), quality=mean_quality(one.taken))
        ]

    def _embed(self, draft: Draft, due: Sequence[TrackId], frames: int) -> None:
        """Vectors for the shots of the tracks that are due: one batch over all cameras and frames.

        Shots of the others wait: many are replaced by a better one before anybody asks for them.
        """
        waiting = [
            (track, i, shot.chip)
            for track in due
            for i, shot in enumerate(draft.passages[track].shots)
            if shot.chip is not None
        ]
        self._metrics.batch(frames, len(waiting))
        if not waiting:
            return
        with self._metrics.timed(Stage.EMBED):
            vectors = self._recogniser.embed(np.stack([chip for _, _, chip in waiting]))
        for (track, i, _), vector in zip(waiting, vectors, strict=True):
            passage = draft.passages[track]
            shots = list(passage.shots)
            shots[i] = replace(shots[i], chip=None, vector=vector)
            draft.passages[track] = replace(passage, shots=tuple(shots))

    def _publish(self, draft: Draft, due: Sequence[TrackId]) -> tuple[list[Output], tuple[datetime, ...]]:
        """What is to be searched of each track that is due."""
        outputs: list[Output] = []
        captured: list[datetime] = []
        with self._metrics.timed(Stage.PUBLISH):
            fitting = [(passage, event) for passage, event in self._fitting(draft, due) if event is not None]
            records = self._writer.faces([(event, passage.at.index) for passage, event in fitting])
            for (passage, event), record in zip(fitting, records, strict=True):
                track = passage.track
                if record is None:
                    draft.passages[track] = replace(passage, refused="late")
                    continue
                outputs.append(record)
                captured.append(event.captured_at)
                draft.counts[Count.FACES_PUBLISHED, ""] += 1
                draft.counts[Count.TRACKS_USABLE, ""] += passage.published is None
                said = Published(event.revision, len(passage.shots), mean_quality(passage.taken))
                kept = tuple(passage.shots[i] for i in self._rules.policy.keeps(passage.taken))
                draft.passages[track] = replace(passage, shots=kept, published=said)
        return outputs, tuple(captured)

    def _fitting(self, draft: Draft, due: Sequence[TrackId]) -> Iterator[tuple[Passage, FaceObserved | None]]:
        """Each track as it is published; one that no record could hold is refused, as its passage then says."""
        for track in due:
            passage = draft.passages[track]
            event = self._fitted(passage)
            if event is None:
                draft.passages[track] = replace(passage, refused="too_large")
            yield passage, event

    def _fitted(self, passage: Passage) -> FaceObserved | None:
        """The track with all its shots, else without its surroundings, else with fewer shots, the best of them."""
        best_first = sorted(passage.shots, key=lambda shot: -shot.taken.quality)
        whole = self._observed(passage, best_first, passage.context_jpeg)
        if self._writer.fits(whole):
            return whole
        bare = (self._observed(passage, best_first[:most], b"") for most in range(len(best_first), 0, -1))
        return next((event for event in bare if self._writer.fits(event)), None)

    def _observed(self, passage: Passage, best_first: Sequence[KeptShot], context_jpeg: bytes) -> FaceObserved:
        return FaceObserved(
            deployment=self._deployment,
            trace_id=passage.trace_id,
            captured_at=max(shot.captured_at for shot in best_first),
            camera=passage.at.camera,
            track=passage.track,
            revision=1 if passage.published is None else passage.published.revision + 1,
            model_id=self._recogniser.model_id,
            quality=mean_quality([shot.taken for shot in best_first]),
            first_seen_at=passage.first_seen_at,
            vector=fuse(np.stack([shot.vector for shot in best_first if shot.vector is not None])),
            shots=tuple(
                Shot(shot.crop_jpeg, shot.captured_at, shot.box, shot.taken.quality) for shot in best_first
            ),
            context_jpeg=context_jpeg,
        )

    def _run_counts(self, items: Sequence[Prepared[Frame]]) -> list[Output]:
        newest: dict[str, FrameCaptured] = {one.item.event.run: one.item.event for one in items}
        return [self._writer.run_counts(event) for event in newest.values()]

    def _take_over(
        self,
        draft: Draft,
        outputs: tuple[Output, ...],
        captured: tuple[datetime, ...],
    ) -> EmbedOutcome:
        """Close the books, make the draft the state: nothing can fail from here on."""
        pending = draft.pending
        draft.counts[Count.TRACKS_CUT_SHORT, ""] = self._books.cut_short(
            started=draft.counts[Count.TRACKS_STARTED, ""],
            usable=draft.counts[Count.TRACKS_USABLE, ""],
            unusable=sum(n for (name, _), n in draft.counts.items() if name is Count.TRACKS_UNUSABLE),
            pending=pending,
        )
        self._metrics.counted(draft.counts)
        before, self._state = self._state, draft.copy()
        before.wipe_all_but(self._state)
        draft.wipe_all_but(self._state)
        return EmbedOutcome(
            outputs=outputs,
            counts={counts.key(self._deployment, *which): n for which, n in draft.counts.items() if n},
            gauges={counts.key(self._deployment, Count.TRACKS_PENDING): pending},
            pending=pending,
            captured=captured,
        )
