"""A seccomp filter as bytes: what the kernel runs before each system call of a confined process (Linux)."""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# struct sock_filter; offsets into struct seccomp_data; return values (linux/seccomp.h, linux/filter.h).
_INSTRUCTION = struct.Struct("=HBBI")
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _JUMP_IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_AT_CALL, _AT_ARCHITECTURE, _AT_FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_CLONE_THREAD = 0x00010000
# Of x86-64: calls of the x32 ABI carry this bit, and every number in them means the same as without it.
_X32_BIT = 0x40000000


@dataclass(frozen=True)
class Machine:
    """An architecture as the kernel names it, and the number of each call there."""

    audit: int
    calls: Mapping[str, int]


# What decoding and passing bytes on needs: memory, time, threads of one's own, descriptors that are open already.
# None that opens, names, connects, binds, listens, signals, starts a program or looks into another process.
_KEPT = (
    "read", "write", "readv", "writev", "pread64", "lseek", "close", "fstat", "dup", "dup2", "dup3", "fcntl",
    "ioctl", "poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "sendto", "recvfrom", "sendmsg",
    "recvmsg", "shutdown", "getsockopt", "setsockopt", "getsockname", "getpeername", "mmap", "munmap", "mprotect",
    "mremap", "madvise", "brk", "futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "getpid", "gettid",
    "getppid", "getuid", "geteuid", "getgid", "getegid", "getrusage", "times", "time", "uname", "sysinfo",
    "getrandom", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "membarrier",
    "exit", "exit_group",
)  # fmt: skip
# The size and kind of a descriptor, which newer C libraries ask by this call; it tells as much of a path's.
LOOKING = ("newfstatat",)
# What a folder of pictures needs besides; where they may be used is Landlock's to say.
OPENING = (
    "open", "openat", "stat", "lstat", "newfstatat", "statx", "getdents64", "readlink", "readlinkat", "access",
    "faccessat2",
)  # fmt: skip

_X86_64 = {
    "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7, "lseek": 8,
    "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
    "rt_sigreturn": 15, "ioctl": 16, "pread64": 17, "readv": 19, "writev": 20, "access": 21, "select": 23,
    "sched_yield": 24, "mremap": 25, "madvise": 28, "dup": 32, "dup2": 33, "nanosleep": 35, "getpid": 39,
    "socket": 41, "connect": 42, "sendto": 44, "recvfrom": 45, "sendmsg": 46, "recvmsg": 47, "shutdown": 48,
    "getsockname": 51, "getpeername": 52, "setsockopt": 54, "getsockopt": 55, "clone": 56, "exit": 60,
    "uname": 63, "fcntl": 72, "readlink": 89, "gettimeofday": 96, "getrusage": 98, "sysinfo": 99, "times": 100,
    "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "getppid": 110, "sigaltstack": 131,
    "gettid": 186, "time": 201, "futex": 202, "sched_getaffinity": 204, "getdents64": 217,
    "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230,
    "exit_group": 231, "epoll_wait": 232, "openat": 257, "newfstatat": 262, "readlinkat": 267,
    "pselect6": 270, "ppoll": 271, "set_robust_list": 273, "epoll_pwait": 281, "dup3": 292, "seccomp": 317,
    "getrandom": 318, "membarrier": 324, "statx": 332, "rseq": 334, "clone3": 435, "faccessat2": 439,
}  # fmt: skip
_AARCH64 = {
    "dup": 23, "dup3": 24, "fcntl": 25, "ioctl": 29, "openat": 56, "close": 57, "getdents64": 61, "lseek": 62,
    "read": 63, "write": 64, "readv": 65, "writev": 66, "pread64": 67, "pselect6": 72, "ppoll": 73,
    "readlinkat": 78, "newfstatat": 79, "fstat": 80, "exit": 93, "exit_group": 94, "futex": 98,
    "set_robust_list": 99, "nanosleep": 101, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
    "sched_getaffinity": 123, "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132,
    "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "times": 153, "uname": 160,
    "getrusage": 165, "gettimeofday": 169, "getpid": 172, "getppid": 173, "getuid": 174, "geteuid": 175,
    "getgid": 176, "getegid": 177, "gettid": 178, "sysinfo": 179, "socket": 198, "connect": 203,
    "getsockname": 204, "getpeername": 205, "sendto": 206, "recvfrom": 207, "setsockopt": 208,
    "getsockopt": 209, "shutdown": 210, "sendmsg": 211, "recvmsg": 212, "brk": 214, "munmap": 215,
    "mremap": 216, "clone": 220, "mmap": 222, "mprotect": 226, "madvise": 233, "seccomp": 277,
    "getrandom": 278, "membarrier": 283, "statx": 291, "rseq": 293, "epoll_pwait": 22, "clone3": 435,
    "faccessat2": 439,
}  # fmt: skip
MACHINES: Mapping[str, Machine] = {
    "x86_64": Machine(0xC000003E, _X86_64),
    "aarch64": Machine(0xC00000B7, _AARCH64),
}


def program(machine: Machine, *, besides: Iterable[str] = (), one_socket: bool = False) -> bytes:
    """The filter for a process that keeps what it has open. Any other call answers that it is not permitted.

    `besides` are calls that it keeps too (`OPENING`, `LOOKING`). With `one_socket`, whoever asks for a new socket
    is told that descriptor 0 is it, and connected: the library that reads a stream makes its socket itself.
    """
    lines = [
        _line(_LOAD, _AT_ARCHITECTURE),
        _line(_JUMP_IF_EQUAL, machine.audit, yes=1),
        _line(_RETURN, _KILL),
        _line(_LOAD, _AT_CALL),
    ]
    if machine is MACHINES["x86_64"]:
        lines += [_line(_JUMP_IF_AT_LEAST, _X32_BIT, no=1), _line(_RETURN, _KILL)]
    lines += _each(machine, [*_KEPT, *besides], _ALLOW)
    if one_socket:
        lines += _each(machine, ["socket", "connect"], _ERROR | 0)  # error 0 is the answer 0
    # glibc then takes `clone`, whose flags can be looked at: a thread may begin, a process may not.
    lines += _each(machine, ["clone3"], _ERROR | errno.ENOSYS)
    lines += [
        _line(_JUMP_IF_EQUAL, machine.calls["clone"], no=3),
        _line(_LOAD, _AT_FIRST_ARGUMENT),
        _line(_JUMP_IF_ANY_BIT, _CLONE_THREAD, no=1),
        _line(_RETURN, _ALLOW),
        _line(_RETURN, _ERROR | errno.EPERM),
    ]
    return b"".join(lines)


def _each(machine: Machine, calls: Iterable[str], answer: int) -> list[bytes]:
    """What this architecture has of `calls` gets `answer`."""
    numbers = [machine.calls[call] for call in calls if call in machine.calls]
    return [line for number in numbers for line in (_line(_JUMP_IF_EQUAL, number, no=1), _line(_RETURN, answer))]


def _line(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return _INSTRUCTION.pack(code, yes, no, value)
