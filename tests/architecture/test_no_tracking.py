"""Nothing that can be asked for follows anybody from camera to camera, or from deployment to deployment (C-30).

People ask by case, and by nothing that a person, a face, a camera or a track could be put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, ServiceDescriptor

from signpost.v1 import face_pb2, review_pb2
from tests.unit.review.web.page import a_page

_WHO_OR_WHERE = re.compile(r"subject|person|people|face|vector|template|probe|crop|track|camera|since|until|query")


def asked_by(service: ServiceDescriptor) -> Iterator[str]:
    """Fields of its calls' requests that name somebody, or some place."""
    for method in service.methods:
        yield from (f"{method.name}.{name}" for name in _fields(method.input_type) if _WHO_OR_WHERE.search(name))


def _fields(message: Descriptor) -> Iterator[str]:
    for field in message.fields:
        yield field.name
        if field.message_type is not None:
            yield from _fields(field.message_type)


def test_no_call_of_review_asks_where_somebody_was() -> None:
    assert list(asked_by(review_pb2.DESCRIPTOR.services_by_name["Review"])) == []


def test_no_address_of_the_page_does_either() -> None:
    paths = [getattr(route, "path", "") for route in a_page().app.routes]
    named = {name for path in paths for name in re.findall(r"{(\w+)", path)}
    assert named
    assert not {name for name in named if _WHO_OR_WHERE.search(name)}


def test_a_field_that_would_is_found() -> None:
    seen = face_pb2.DESCRIPTOR.message_types_by_name["FaceObserved"]
    named = {name for name in _fields(seen) if _WHO_OR_WHERE.search(name)}
    assert named == {"camera", "track"}
