"""What code that took over a process which decodes strangers' bytes can reach: nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from services.ingest.core.order import Kind, ReadOrder
from services.ingest.edges.confinement import available
from tests.integration.ingest.pictures import write_jpegs, write_video

# In the reader's own process, from the moment at which it would begin to decode.
_TAKEN_OVER = """
import ctypes, json, os, signal, socket, subprocess, sys, threading
from services.ingest.core import order as orders
from services.ingest.edges import child, reader_main, video_av

order, key, port, readable = orders.from_line(sys.stdin.buffer.readline()), *sys.argv[1:]
child.belong_to(order.parent, space_bytes=2**32)
answers = os.dup(1)
video_av.warm_up()
reader_main._confine(reader_main._held(order))

def connect(family, where):
    made = ctypes.CDLL(None).socket(family, socket.SOCK_STREAM, 0)
    if made < 0:
        raise OSError("no socket")
    if made != 0:
        raise AssertionError("a new socket")
    raise OSError("the one socket it has")

def program():
    if ctypes.CDLL(None).execve(b"/bin/true", None, None) < 0:
        raise OSError("no program")

def in_a_thread():
    found = []
    def read():
        try:
            found.append(open(key).read())
        except OSError:
            pass
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    if not found:
        raise OSError("not from a thread either")

attempts = {
    "read a key": lambda: open(key).read(),
    "read a key in a thread": in_a_thread,
    "read a system's file": lambda: open("/etc/passwd").read(),
    "read the parent's memory": lambda: open(f"/proc/{order.parent}/mem", "rb"),
    "read the parent's environment": lambda: open(f"/proc/{order.parent}/environ", "rb"),
    "list keys": lambda: os.listdir(os.path.dirname(key)),
    "write a file": lambda: open(os.path.join(os.path.dirname(key), "new"), "w"),
    "write over a key": lambda: os.open(key, os.O_WRONLY),
    "remove a key": lambda: os.remove(key),
    "connect over TCP": lambda: connect(socket.AF_INET, ("127.0.0.1", int(port))),
    "connect over IPv6": lambda: connect(socket.AF_INET6, ("::1", int(port))),
    "connect to a Unix socket": lambda: connect(socket.AF_UNIX, "/run/any"),
    "make a pair of sockets": lambda: socket.socketpair(),
    "fork": lambda: os.fork() or os._exit(9),
    "run a program": program,
    "signal the parent": lambda: os.kill(order.parent, 0),
}
if readable:
    attempts["read its own folder"] = lambda: open(readable, "rb").read()
reached = []
for name, attempt in attempts.items():
    try:
        attempt()
    except (OSError, PermissionError):
        continue
    reached.append(name)
os.write(answers, json.dumps([len(attempts), reached]).encode())
"""


def reached(order: ReadOrder, tmp_path: Path, *, readable: Path | None = None) -> list[str]:
    key = tmp_path / "keys" / "list.key"
    key.parent.mkdir()
    key.write_text("a key")
    with socket.create_server(("127.0.0.1", 0)) as redis:
        redis.settimeout(0)
        given = [str(key), str(redis.getsockname()[1]), str(readable or "")]
        done = subprocess.run(
            [sys.executable, "-c", _TAKEN_OVER, *given],
            input=order.to_line(),
            capture_output=True,
            timeout=60,
            check=False,
            pass_fds=() if order.held is None else (order.held,),
            env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        with pytest.raises(BlockingIOError):
            redis.accept()
    assert done.returncode == 0, done.stderr.decode()
    assert key.read_text() == "a key"
    tried, found = json.loads(done.stdout)
    assert tried >= 16
    return list(found)


def an_order(source: Kind, address: str) -> ReadOrder:
    return ReadOrder(
        parent=os.getpid(),
        source=source,
        address=address,
        transport="tcp",
        rate_fps=5,
        max_side_px=640,
        jpeg_quality=85,
        loop=False,
        start_s=0,
        real_time=True,
        timeout_s=5,
        max_source_px=8_000_000,
    )


@pytest.fixture(autouse=True)
def _this_kernel_has_the_means() -> None:
    found = available()
    assert found.files and found.calls, "needs a kernel with Landlock and seccomp"


def test_a_taken_reader_of_a_camera_reaches_no_file_no_socket_and_no_process(tmp_path: Path) -> None:
    """It read every key file of the service and could connect to Redis and Kafka."""
    own, far = socket.socketpair()
    with own, far:
        order = replace(an_order(Kind.RTSP, "rtsp://127.0.0.1:554/signpost-link"), held=own.fileno())
        assert reached(order, tmp_path) == []


def test_a_taken_reader_of_a_file_reaches_that_file_alone(tmp_path: Path) -> None:
    film = write_video(tmp_path / "walk.mp4")
    assert reached(an_order(Kind.FILE, str(film)), tmp_path) == []


def test_a_taken_reader_of_a_folder_reads_that_folder_alone(tmp_path: Path) -> None:
    folder = write_jpegs(tmp_path / "pictures", 2)
    order = an_order(Kind.FOLDER, str(folder))
    assert reached(order, tmp_path, readable=folder / "000.jpg") == ["read its own folder"]


def test_where_a_container_lets_neither_through_a_reader_goes_on_and_says_so() -> None:
    """An older container runtime answers EPERM to calls that it does not know; no camera would have been read."""
    code = """
from services.ingest.edges import confinement
confinement.restrict_calls()
print(confinement.available())
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.stdout == "Confinement(files=False, calls=False)\n", done.stderr
