"""From a record on `frames` to a decoded frame: refuse, find the key, decrypt, decode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

import numpy as np
from numpy.typing import NDArray

from services.contracts import codec, counts, keys, topics
from services.contracts.authorisation.refusals import Refusal
from services.contracts.authority import Authority
from services.contracts.counts import Count
from services.contracts.errors import Permanent, Tampered, Transient, Undecodable
from services.contracts.events import Event, FrameCaptured
from services.contracts.standing import PASSING, Standing
from services.embed.core.frames import Frame
from services.embed.edges import pictures, run_counts
from services.runtime.kafka.types import CountKey, Dropped, Output, Record
from services.runtime.keys.port import Cipher, OtherKey
from services.runtime.keys.ring import Expired, Keyring, Lost


class SealedFrameReader:
    """Any thread; holds nothing of a frame. `reduced` says at which size the detector sees one of a size."""

    def __init__(
        self,
        authority: Authority,
        standing: Standing,
        keyring: Keyring,
        cipher: Cipher,
        *,
        reduced: Callable[[int, int], tuple[int, int]],
        max_pixels: int,
        on_exit: Callable[[Count, str], None],
    ) -> None:
        self._authority = authority
        self._standing = standing
        self._keyring = keyring
        self._cipher = cipher
        self._reduced = reduced
        self._max_pixels = max_pixels
        self._on_exit = on_exit

    def read(self, record: Record) -> Frame | Dropped:
        """The frame, or how it ended. Raises Permanent (dead letter), Transient (a store or the lease is away)."""
        peeked = codec.peek(record.value, topic=topics.FRAMES.name)
        if peeked.kind is not FrameCaptured:
            raise Undecodable("a record on frames is not a FrameCaptured")
        if peeked.deployment != self._authority.deployment:
            # Another deployment's, on the same topic: its own workers count it.
            elsewhere = partial(self._on_exit, Count.FRAMES_REFUSED, Refusal.OTHER_DEPLOYMENT)
            return Dropped({}, tell=elsewhere)
        camera: str = peeked.body.camera  # type: ignore[attr-defined]  # the body of a FrameCaptured
        refusal = self._standing.refusal(camera, deployment=peeked.deployment, at=peeked.captured_at)
        if refusal in PASSING:
            raise Transient(f"the authority does not stand: {refusal}")
        index = self._authority.camera_index(camera)
        # It is one of ours, and its run may have no other word left than its frames.
        if index is None:
            unknown = refusal or Refusal.UNKNOWN_CAMERA
            return self._dropped(Count.FRAMES_REFUSED, unknown, run_counts.of_unopened(peeked))
        if refusal is not None:
            return self._dropped(Count.FRAMES_REFUSED, refusal, run_counts.of_unopened(peeked))
        opened = self._opened(peeked)
        if isinstance(opened, counts.Expired):
            return self._dropped(Count.FRAMES_EXPIRED, opened, run_counts.of_unopened(peeked))
        event = codec.expect(opened, FrameCaptured)
        return Frame(event, index, self._small(event))

    def refusal(self, camera: str, at: datetime) -> Refusal | None:
        """Why what `camera` took `at` may not be looked at, as is known by now; None while that is not known."""
        found = self._standing.refusal(camera, deployment=self._authority.deployment, at=at)
        return None if found in PASSING else found

    def _opened(self, peeked: codec.Peeked) -> Event | counts.Expired:
        """The event, or why nobody can read it any more."""
        spec = keys.frame(self._authority, peeked.captured_at)
        for _ in range(2):
            found = self._keyring.find(spec)
            if isinstance(found, Expired):
                return counts.Expired.LATE
            if isinstance(found, Lost):
                break
            if peeked.key_id != spec.id:
                raise Tampered("a frame names another key than its time gives")
            try:
                return codec.open_sealed(peeked, key=found.key, cipher=self._cipher)
            except OtherKey:
                # The volatile Redis lost its keys and a new one was minted under the same name. The one in hand
                # may be the old one: the store is asked once more.
                self._keyring.forget([spec])
        return counts.Expired.KEY_LOST

    def _small(self, event: FrameCaptured) -> NDArray[np.uint8]:
        """The picture at the size the detector sees it in. Raises Permanent."""
        width, height = pictures.frame_size(event.jpeg, max_pixels=self._max_pixels)
        if (width, height) != (event.width_px, event.height_px):
            raise Permanent("wrong_size", "a frame's picture has another size than its event says")
        return pictures.decode(event.jpeg, at_least=self._reduced(width, height), max_pixels=self._max_pixels)

    def _dropped(self, count: Count, reason: str, *outputs: Output) -> Dropped:
        deployment = self._authority.deployment
        ended: Mapping[CountKey, int] = {
            counts.key(deployment, Count.FRAMES_RECEIVED): 1,
            counts.key(deployment, count, str(reason)): 1,
        }
        return Dropped(ended, outputs, partial(self._on_exit, count, reason))
