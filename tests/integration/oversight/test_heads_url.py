"""Heads at an address: what a real server gets, and what is no success."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from console.stack.ports import free_ports
from services.contracts.audit.lines import decode_line
from services.contracts.errors import Misconfigured
from services.oversight.anchoring import Anchoring
from services.oversight.edges.heads_url import HeadsUrl
from services.oversight.ports import Unanchored
from tests.fakes.clock import ManualClock
from tests.unit.contracts.audit.builders import CHAIN, NOON, heads


class Witness:
    """A server of somebody else's: keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, bytes]] = []
        self.answers = 200
        self.port = 0

    @property
    def url(self) -> SecretStr:
        return SecretStr(f"http://127.0.0.1:{self.port}/heads?token=secret")

    @contextmanager
    def serving(self) -> Iterator[None]:
        witness = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                witness.got.append((self.path, self.headers["Content-Type"], body))
                self.send_response(witness.answers)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - http.server has it so

            def log_message(self, *of: Any) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="signpost-test-witness")
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)


def test_a_sink_gets_the_line_that_a_verifier_reads() -> None:
    witness, (head,) = Witness(), heads(1)
    with witness.serving():
        HeadsUrl(witness.url).take(head)
    ((path, kind, body),) = witness.got
    assert (path, kind) == ("/heads?token=secret", "application/json")
    assert decode_line(body) == head


@pytest.mark.parametrize("answer", [302, 307, 404, 500])
def test_any_other_answer_is_no_success_and_no_redirect_is_followed(answer: int) -> None:
    witness, (head,) = Witness(), heads(1)
    witness.answers = answer
    with witness.serving(), pytest.raises(Unanchored, match=f"answered with {answer}"):
        HeadsUrl(witness.url).take(head)
    assert len(witness.got) == 1


def test_a_server_that_was_away_gets_the_newest_head_once_it_is_back() -> None:
    witness, (first, second) = Witness(), heads(2)
    (witness.port,) = free_ports(1)
    anchoring = Anchoring(HeadsUrl(witness.url), on_failed=lambda: None, clock=ManualClock(NOON))
    anchoring.hand([first])
    assert not anchoring.hand_on()
    anchoring.hand([second])
    with witness.serving():
        assert anchoring.hand_on()
    assert [decode_line(body) for _, _, body in witness.got] == [second]
    assert anchoring.standing(CHAIN).head == second


def test_an_address_of_anything_else_is_refused_and_its_secret_never_told() -> None:
    with pytest.raises(Misconfigured, match="AUDIT_HEADS_URL") as told:
        HeadsUrl(SecretStr("ftp://sink.example/?token=secret"))
    assert "secret" not in str(told.value)
    assert HeadsUrl(SecretStr("https://sink.example/?token=secret")).name == "url sink.example"
