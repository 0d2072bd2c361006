"""What a process that meets strangers' bytes gives up for good: files, programs, new sockets (Linux).

Landlock takes the files, seccomp every system call that is not needed; `docs/adr/0010` says why by hand.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from services.ingest.core import syscall_filter
from services.ingest.core.syscall_filter import MACHINES, Machine

_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 1, 1
_SECCOMP_GET_ACTION_AVAIL, _KILL_PROCESS = 2, 0x80000000  # both since Linux 4.14
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_VERSION = 1
_LANDLOCK_BENEATH = 1
_MAY_READ_FILE, _MAY_LIST = 1 << 2, 1 << 3
# By the version (ABI) of the kernel's Landlock: rights to files, to TCP (4), and to reach other processes (6).
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_NET_RIGHTS, _NET_SINCE = 0b11, 4
_SCOPES, _SCOPES_SINCE = 0b11, 6
# The kernel has not got it, it was switched off at boot, or a container's own filter does not let it through.
_NOT_THERE = (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EACCES)


@dataclass(frozen=True)
class Confinement:
    """What is in effect. Where the kernel has a means, it is in effect or the process does not go on."""

    files: bool
    calls: bool


def available() -> Confinement:
    """What this kernel has; nothing is given up yet."""
    libc = ctypes.CDLL(None, use_errno=True)
    return Confinement(_landlock_version(libc) > 0, _machine(libc) is not None)


def confine(
    *,
    readable: Collection[Path] = (),
    besides: Iterable[str] = (),
    one_socket: bool = False,
    tcp: bool = False,
) -> Confinement:
    """Give up everything but what is open and what lies beneath `readable`, in every thread there is and will be.

    `besides` and `one_socket` as in `syscall_filter`; with `tcp`, connections may still be made where only
    Landlock is there to forbid them.

    Raises OSError if the kernel has the means and refuses; the process must end then.
    """
    files = restrict_files(readable, tcp=tcp)
    return Confinement(files, restrict_calls(besides, one_socket=one_socket))


def restrict_files(readable: Collection[Path] = (), *, tcp: bool = False) -> bool:
    """The first half of `confine`, for who still has a connection to make; whether it is in effect.

    Raises OSError.
    """
    return _restrict_files(_library(), readable, tcp=tcp)


def restrict_calls(besides: Iterable[str] = (), *, one_socket: bool = False) -> bool:
    """The second half; whether it is in effect. Raises OSError."""
    return _filter_calls(_library(), besides, one_socket=one_socket)


def _library() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    return libc


def _landlock_version(libc: ctypes.CDLL) -> int:
    """0 where the kernel has none."""
    version: int = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)
    return 0 if version < 0 and ctypes.get_errno() in _NOT_THERE else _checked(version)


def _machine(libc: ctypes.CDLL) -> Machine | None:
    """What the filter must know of this machine; None where the kernel or we have no filter for it."""
    machine = MACHINES.get(platform.machine())
    if machine is None or sys.maxsize < 2**32:
        return None
    kills = ctypes.c_uint32(_KILL_PROCESS)
    asked = libc.syscall(machine.calls["seccomp"], _SECCOMP_GET_ACTION_AVAIL, 0, ctypes.byref(kills))
    return machine if asked == 0 else None


def _restrict_files(libc: ctypes.CDLL, readable: Collection[Path], *, tcp: bool) -> bool:
    """Whether the kernel has Landlock."""
    version = _landlock_version(libc)
    if version == 0:
        return False
    # It binds the thread that asks and its children: another one would be the way around it.
    if len(os.listdir("/proc/self/task")) != 1:
        raise OSError(errno.EBUSY, "threads were started before they could be confined")
    rights = _FILE_RIGHTS[max(known for known in _FILE_RIGHTS if known <= version)]
    net = _NET_RIGHTS if version >= _NET_SINCE and not tcp else 0
    scopes = _SCOPES if version >= _SCOPES_SINCE else 0
    fields = struct.pack("=QQQ", rights, net, scopes)
    length = 24 if scopes else 16 if version >= _NET_SINCE else 8
    ruleset = _checked(libc.syscall(_LANDLOCK_CREATE, fields, ctypes.c_size_t(length), 0))
    for path in readable:
        _allow(libc, ruleset, path)
    _checked(libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0))
    os.close(ruleset)
    return True


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = _MAY_READ_FILE | (_MAY_LIST if path.is_dir() else 0)
        rule = struct.pack("=Qi", rights, opened)
        _checked(libc.syscall(_LANDLOCK_ADD, ruleset, _LANDLOCK_BENEATH, rule, 0))
    finally:
        os.close(opened)


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("lines", ctypes.c_char_p))


def _filter_calls(libc: ctypes.CDLL, besides: Iterable[str], *, one_socket: bool) -> bool:
    """Whether the kernel has seccomp for a machine of this kind."""
    machine = _machine(libc)
    if machine is None:
        return False
    lines = syscall_filter.program(machine, besides=besides, one_socket=one_socket)
    program = _Program(len(lines) // 8, lines)
    # Every thread there is, at once.
    answer = libc.syscall(
        machine.calls["seccomp"], _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC, ctypes.byref(program)
    )
    if answer > 0:
        raise OSError(errno.EBUSY, "a thread could not be confined")
    _checked(answer)
    return True


def _checked(answer: int) -> int:
    if answer < 0:
        raise OSError(ctypes.get_errno(), "the kernel refused to confine the process")
    return answer
