"""Nothing is written that its topic would not take: asked before it is sealed, signed or sent."""

from __future__ import annotations

import pytest

from services.contracts import codec, codec_authority, counts, ids, topics
from services.contracts.audit.numbering import Deed, Under, numbered
from services.contracts.audit.requests import Action
from services.contracts.authorisation.records import DocumentPublished
from services.contracts.authorisation.refusals import Refusal
from services.contracts.codec import Sealing
from services.contracts.codec_audit import sign_request
from services.contracts.errors import Oversized
from services.contracts.events import StageCounts
from services.contracts.places import Place
from services.contracts.topics import Topic
from services.runtime.kafka.marks import placed
from services.runtime.kafka.sizes import check_fits
from services.runtime.kafka.types import Output
from services.runtime.keys.cipher import AesGcm
from tests.builders import NOON, a_face, a_frame, a_shot, an_alert
from tests.proofs import proving
from tests.unit.contracts.audit.builders import SERVICES

SEALING = Sealing("k" * 100, bytes(32), AesGcm())


def test_the_cipher_adds_what_sizes_are_reckoned_with() -> None:
    assert len(AesGcm().seal(bytes(32), bytes(1000), b"")) == 1000 + codec.CIPHER_BYTES


@pytest.mark.parametrize("topic", topics.ALL, ids=lambda topic: topic.name)
def test_a_value_at_the_limit_passes_and_a_byte_more_does_not(topic: Topic) -> None:
    topics.check_size(topic.name, topic.max_value_bytes)
    with pytest.raises(Oversized, match=topic.name):
        topics.check_size(topic.name, topic.max_value_bytes + 1)
    assert topic.max_value_bytes < topic.max_record_bytes < topic.max_message_bytes


def test_a_record_at_the_limit_fits_with_its_longest_key_its_place_and_its_proof() -> None:
    """What headers cost was left out: a value that was taken for small enough was dropped at the producer."""
    place = Place("d" * 63, counts.PARTITIONS - 1, counts.MOST_NUMBER)
    value, key = bytes(topics.COUNTS.max_value_bytes), b"k" * topics.MOST_KEY_BYTES
    check_fits(proving("embed")(placed(Output(topics.COUNTS.name, key, value), place)))


def test_a_frame_is_refused_before_it_is_sealed() -> None:
    class Unused(AesGcm):
        def seal(self, key: bytes, plaintext: bytes, aad: bytes) -> bytes:
            raise AssertionError("sealed what no topic takes")

    large = a_frame(jpeg=bytes(topics.FRAMES.max_message_bytes))
    with pytest.raises(Oversized):
        codec.encode_sealed(large, topic=topics.FRAMES.name, sealing=Sealing("k", bytes(32), Unused()))
    assert not codec.fits(large, topic=topics.FRAMES.name, key_id="k")


@pytest.mark.parametrize("spare", [0, 200, 5000])
def test_what_fits_is_written_and_what_is_written_fits(spare: int) -> None:
    """Reckoned a little above: never a record that the topic refuses, and hardly one that it would have taken."""
    frame = a_frame(jpeg=bytes(topics.FRAMES.max_value_bytes - 300 - spare))
    raw = codec.encode_sealed(frame, topic=topics.FRAMES.name, sealing=SEALING)
    assert topics.FRAMES.max_value_bytes - 300 - spare < len(raw) <= topics.FRAMES.max_value_bytes


def test_the_alert_of_any_face_fits_its_topic() -> None:
    """A face's pictures go into its alert as they are: match must not fail on what embed could write."""
    shots = tuple(a_shot(jpeg=bytes((topics.FACES.max_value_bytes - 5000) // 8)) for _ in range(8))
    assert codec.fits(a_face(shots=shots), topic=topics.FACES.name, key_id="k" * 100)
    assert codec.fits(an_alert(shots=shots), topic=topics.ALERTS.name, key_id="k" * 100)


def test_the_counts_of_a_stage_that_has_met_everything_fit_their_topic() -> None:
    figures = {
        (str(name), str(why)): 2**62 for name in counts.Count for why in (*Refusal, *(f"r{n}" for n in range(20)))
    }
    event = StageCounts(
        deployment=ids.DeploymentId("d" * 63),
        trace_id="t" * 32,
        captured_at=NOON,
        stage="ingest",
        incarnation="i" * 128,
        totals=figures,
        standing={},
    )
    assert len(codec.encode(event, topic=topics.COUNTS.name)) < topics.COUNTS.max_value_bytes


def test_a_stranger_cannot_have_a_huge_trace_written_to_counts() -> None:
    """A frame that is not opened was relayed by its clear part, whatever was in it: nothing could be committed."""
    event = StageCounts(
        deployment=ids.DeploymentId("d"),
        trace_id="t" * topics.COUNTS.max_message_bytes,
        captured_at=NOON,
        stage="ingest",
        incarnation="i",
        totals={},
        standing={},
    )
    with pytest.raises(Oversized):
        codec.encode(event, topic=topics.COUNTS.name)


def test_the_longest_audit_request_fits_its_topic() -> None:
    deed = Deed(at=NOON, what=Action.CLOCK_FAULT, about="a" * 128)
    under = Under.deployment(ids.DeploymentId("d" * 63), 2**31)
    request = sign_request(numbered(deed, producer="review/r-1", under=under, sequence=2**31), SERVICES["review"])
    assert len(request.raw) < 1024


def test_a_document_larger_than_its_topic_takes_is_refused_as_that() -> None:
    """Somebody's document of 3 MB ended the leader of oversight, and with it every lease."""
    with pytest.raises(Oversized):
        codec_authority.encode(DocumentPublished(b"x" * topics.AUTHORITY.max_message_bytes, ()))
