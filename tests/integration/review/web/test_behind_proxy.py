"""The page behind a real, small reverse proxy: set as it should be, and as nginx is by default."""

from __future__ import annotations

import asyncio
import http.client
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest

from services.review.edges.web_server import WebServer
from services.runtime.doors.peers import Proxies
from services.runtime.loop_thread import LoopThread
from tests.fakes.casework import FakeSessions
from tests.unit.review.web.page import FORM, SESSION, Page, a_page

SITE = "lfr.police.example:8443"
CLIENT = "203.0.113.9"


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, headers: Mapping[str, str]
) -> None:
    """One request to the page, with these headers in the place of the client's, and its answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *fields = head.rstrip("\r\n").split("\r\n")
    kept = [field for field in fields if field.partition(":")[0].lower() not in {name.lower() for name in headers}]
    length = next((int(one.partition(":")[2]) for one in kept if one.lower().startswith("content-length")), 0)
    body = await reader.readexactly(length)
    there_reader, there = await asyncio.open_connection("127.0.0.1", port)
    said = [line, *kept, *(f"{name}: {value}" for name, value in headers.items()), "Connection: close", "", ""]
    there.write("\r\n".join(said).encode("latin-1") + body)
    writer.write(await there_reader.read())
    await writer.drain()
    there.close()
    writer.close()


@contextmanager
def behind(page: Page, headers: Mapping[str, str]) -> Iterator[int]:
    """The proxy's port."""
    ports: list[int] = []

    async def serve(stopping: asyncio.Event, started: Callable[[], None]) -> None:
        web = WebServer(page.app, host="127.0.0.1", port=0, tls=None)
        await web.start()
        proxy = await asyncio.start_server(
            lambda reader, writer: _pass_on(reader, writer, web.port, headers), "127.0.0.1", 0
        )
        ports.append(proxy.sockets[0].getsockname()[1])
        started()
        await stopping.wait()
        proxy.close()
        await web.stop()

    thread = LoopThread(serve, name="signpost-test-proxy")
    thread.start()
    try:
        yield ports[0]
    finally:
        assert thread.stop(5)


def asked(port: int, method: str, body: str = "", **headers: str) -> tuple[int, str, list[str]]:
    """Status, body and cookies of an answer to a browser that asked for our site."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        given = {"Host": SITE, "Content-Type": "application/x-www-form-urlencoded", **headers}
        connection.request(method, "/sign-in", body, given)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers.get_all("Set-Cookie") or []
    finally:
        connection.close()


def sign_in(port: int) -> tuple[int, str, list[str]]:
    _, form, cookies = asked(port, "GET")
    secret = next(one.partition("=")[2].partition(";")[0] for one in cookies if one.startswith(FORM))
    proof = re.search(r'name="csrf" value="([0-9a-f]{64})"', form)
    assert proof
    fields = urlencode({"csrf": proof[1], "user": "ann", "password": FakeSessions.PASSWORD})
    sent = {"Cookie": f"{FORM}={secret}", "Origin": f"https://{SITE}", "Sec-Fetch-Site": "same-origin"}
    return asked(port, "POST", fields, **sent)


def test_behind_a_proxy_that_passes_the_host_on_people_sign_in_from_their_own_address() -> None:
    page = a_page(proxies=Proxies.named(["127.0.0.1"], variable="TRUSTED_PROXIES"))
    with behind(page, {"X-Forwarded-For": f"198.51.100.1, {CLIENT}"}) as port:
        status, _, cookies = sign_in(port)
    assert status == 303
    assert any(one.startswith(SESSION) for one in cookies)
    assert page.sessions.asked[0].peer == CLIENT


@pytest.mark.parametrize(
    "host",
    ["review:8443", "lfr.police.example"],
    ids=["the name of the upstream, as by default", "the host without its port"],
)
def test_behind_a_proxy_that_hides_the_host_the_refusal_says_what_to_set(host: str) -> None:
    """403 `this request comes from another site`, and nowhere a word of what to do."""
    page = a_page()
    with behind(page, {"Host": host}) as port:
        status, body, _ = sign_in(port)
    assert status == 403
    assert "proxy_set_header Host $http_host" in body
    assert not page.sessions.asked
