"""A way to one broker that can be cut for whoever reads one topic, while everything else flows.

A TCP proxy that names itself in the broker's place: metadata answers hold host and port, which have the same
length for both, so nothing needs to be parsed. A connection whose requests ever named the topic (or its id) is one
that reads it; while cut, it gets no answers.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient

_HOST = "127.0.0.1"
_SIZE = struct.Struct(">i")


class Severable:
    """Stands between clients and one broker from `start` to `stop`. `cut` and `mend` from any thread."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._broker_port = int(bootstrap.rpartition(":")[2])
        self._names = (topic.encode(), _id_of(bootstrap, topic))
        self._listening = socket.create_server((_HOST, 0))
        self._port: int = self._listening.getsockname()[1]
        self._severed = threading.Event()
        self._lock = threading.Lock()
        self._passages: list[_Passage] = []

    @property
    def bootstrap(self) -> str:
        """For clients that shall come this way."""
        return f"{_HOST}:{self._port}"

    def start(self) -> None:
        threading.Thread(target=self._accept, name="severable", daemon=True).start()

    def stop(self) -> None:
        self._listening.close()
        self._hang_up(list(self._passages))

    def cut(self) -> None:
        """From now on no answer reaches those who read the topic."""
        self._severed.set()

    def mend(self) -> None:
        """Those who waited for answers are hung up on, and come again."""
        self._severed.clear()
        with self._lock:
            self._hang_up([passage for passage in self._passages if passage.reads_it.is_set()])

    def _hang_up(self, passages: list[_Passage]) -> None:
        for passage in passages:
            passage.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed by `stop`
            while True:
                client, _ = self._listening.accept()
                broker = socket.create_connection((_HOST, self._broker_port))
                passage = _Passage(client, broker)
                with self._lock:
                    self._passages.append(passage)
                for carry in (self._ask, self._answer):
                    threading.Thread(target=carry, args=(passage,), daemon=True).start()

    def _ask(self, passage: _Passage) -> None:
        with passage, suppress(OSError):
            while frame := _frame(passage.client):
                if any(name in frame for name in self._names):
                    passage.reads_it.set()
                passage.broker.sendall(frame)

    def _answer(self, passage: _Passage) -> None:
        theirs = _HOST.encode() + _SIZE.pack(self._broker_port)
        ours = _HOST.encode() + _SIZE.pack(self._port)
        with passage, suppress(OSError):
            while frame := _frame(passage.broker):
                if not (self._severed.is_set() and passage.reads_it.is_set()):
                    passage.client.sendall(frame.replace(theirs, ours))


class _Passage:
    """One client's connection and ours to the broker for it; whoever of the two carriers ends closes both."""

    def __init__(self, client: socket.socket, broker: socket.socket) -> None:
        self.client = client
        self.broker = broker
        self.reads_it = threading.Event()

    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for one in (self.client, self.broker):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _frame(connection: socket.socket) -> bytes:
    """The next request or answer with its length in front; empty at the end."""
    head = _exactly(connection, _SIZE.size)
    return head + _exactly(connection, _SIZE.unpack(head)[0]) if head else b""


def _exactly(connection: socket.socket, length: int) -> bytes:
    found = bytearray()
    while len(found) < length:
        piece = connection.recv(length - len(found))
        if not piece:
            return b""
        found += piece
    return bytes(found)


def _id_of(bootstrap: str, topic: str) -> bytes:
    with AdminClient({"bootstrap.servers": bootstrap}) as admin:
        found = admin.describe_topics(TopicCollection([topic]))[topic].result()
    most, least = found.topic_id.get_most_significant_bits(), found.topic_id.get_least_significant_bits()
    return struct.pack(">qq", most, least)
