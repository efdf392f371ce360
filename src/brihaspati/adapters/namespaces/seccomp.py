"""Which system calls a lab may make: an allow list in the manner of the container engines.

The list has what programs need; mounting, namespaces, kernel modules, keys, io_uring, bpf,
userfaultfd, clocks and the like are not on it. A call the kernel knows but we do not allow fails
with EPERM, one newer than our tables with ENOSYS, so that C libraries fall back to older ones.
"""

from __future__ import annotations

import errno
import platform
import struct

from brihaspati.adapters.namespaces import syscalls

_LOAD, _JUMP_EQ, _JUMP_GE, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_AT_NUMBER, _AT_ARCH, _AT_ARGUMENTS = 0, 4, 16
_ALLOW = 0x7FFF0000
_NEWEST_KNOWN = 462

# Every flag that makes a namespace; threads and vfork have none of them.
_CLONE_NAMESPACES = 0x7E020000
_TIOCSTI, _TIOCLINUX, _TIOCSETD = 0x5412, 0x541C, 0x5423
_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
# Routes (ip), socket diagnosis (ss) and audit (su and login ask, and take "refused" well).
_NETLINK_PROTOCOLS = (0, 4, 9)

_MACHINES = {
    "x86_64": (0xC000003E, syscalls.X86_64),
    "aarch64": (0xC00000B7, syscalls.AARCH64),
}

Step = tuple[int, int, int, int]


class UnknownProcessor(Exception):  # noqa: N818
    """We have no table for this processor."""


def _fail(number: int) -> int:
    return 0x00050000 | number


def _return(value: int) -> Step:
    return (_RETURN, 0, 0, value)


def _argument(index: int) -> Step:
    """Load the low half of an argument: the kernel reads the checked ones as 32 bits."""
    return (_LOAD, 0, 0, _AT_ARGUMENTS + 8 * index)


def _only(index: int, values: tuple[int, ...], otherwise: int) -> list[Step]:
    steps = [_argument(index)]
    for place, value in enumerate(values):
        steps.append((_JUMP_EQ, len(values) - place, 0, value))
    return [*steps, _return(otherwise), _return(_ALLOW)]


def _not(index: int, values: tuple[int, ...], otherwise: int) -> list[Step]:
    steps = [_argument(index)]
    for place, value in enumerate(values):
        steps.append((_JUMP_EQ, len(values) - place, 0, value))
    return [*steps, _return(_ALLOW), _return(otherwise)]


def _socket() -> list[Step]:
    return [
        _argument(0),
        (_JUMP_EQ, 3, 0, _UNIX),
        (_JUMP_EQ, 2, 0, _INET),
        (_JUMP_EQ, 1, 0, _INET6),
        (_JUMP_EQ, 2, 1, _NETLINK),
        _return(_ALLOW),
        _return(_fail(errno.EAFNOSUPPORT)),
        *_only(2, _NETLINK_PROTOCOLS, _fail(errno.EPROTONOSUPPORT)),
    ]


def _clone() -> list[Step]:
    return [
        _argument(0),
        (_JUMP_SET, 0, 1, _CLONE_NAMESPACES),
        _return(_fail(errno.EPERM)),
        _return(_ALLOW),
    ]


def _special() -> dict[str, list[Step]]:
    """Calls whose arguments decide."""
    return {
        "clone": _clone(),
        "clone3": [_return(_fail(errno.ENOSYS))],  # its flags are behind a pointer
        "personality": _only(0, _PERSONALITIES, _fail(errno.EPERM)),
        "socket": _socket(),
        "ioctl": _not(1, (_TIOCSTI, _TIOCLINUX, _TIOCSETD), _fail(errno.EPERM)),
    }


def _ranges(numbers: list[int]) -> list[tuple[int, bool]]:
    """Where, going up from 0, "allowed" begins or ends: (first number, allowed from here)."""
    edges: list[tuple[int, bool]] = [(0, 0 in numbers)]
    allowed = set(numbers)
    for number in range(1, _NEWEST_KNOWN + 2):
        if (number in allowed) != edges[-1][1]:
            edges.append((number, number in allowed))
    return edges


def _search(edges: list[tuple[int, bool]]) -> list[Step]:
    """A binary search over the edges: a few steps a call instead of some hundred."""
    if len(edges) == 1:
        return [_return(_ALLOW if edges[0][1] else _fail(errno.EPERM))]
    middle = len(edges) // 2
    low, high = _search(edges[:middle]), _search(edges[middle:])
    return [(_JUMP_GE, len(low), 0, edges[middle][0]), *low, *high]


def program(machine: str = "") -> bytes:
    """The filter for a processor (as `uname -m` names it), ready for the kernel.

    Raises UnknownProcessor.
    """
    machine = machine or platform.machine()
    if machine not in _MACHINES:
        raise UnknownProcessor(f"no table of system calls for the processor {machine}")
    arch, numbers = _MACHINES[machine]
    steps: list[Step] = [
        (_LOAD, 0, 0, _AT_ARCH),
        (_JUMP_EQ, 1, 0, arch),
        _return(_fail(errno.ENOSYS)),
        (_LOAD, 0, 0, _AT_NUMBER),
        (_JUMP_GE, 0, 1, _NEWEST_KNOWN + 1),  # the x32 calls, from 2**30 up, end here too
        _return(_fail(errno.ENOSYS)),
    ]
    for name, rule in _special().items():
        steps += [(_JUMP_EQ, 0, len(rule), numbers[name]), *rule]
    steps += _search(_ranges(list(numbers.values())))
    return b"".join(struct.pack("HBBI", *step) for step in steps)
