"""The system call filter, run here instruction by instruction for both processors."""

from __future__ import annotations

import errno
import struct

import pytest

from brihaspati.adapters.namespaces import seccomp, syscalls

_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_TABLES = {"x86_64": syscalls.X86_64, "aarch64": syscalls.AARCH64}
_I386 = 0x40000003
ALLOWED = "allowed"


def _run(machine: str, number: int, *arguments: int, arch: int | None = None) -> str:
    """What the kernel would do with this call."""
    words = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("IIQ6Q", number, _ARCH[machine] if arch is None else arch, 0, *words)
    steps = list(struct.iter_unpack("HBBI", seccomp.program(machine)))
    at, held = 0, 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x20:
            held = struct.unpack_from("I", data, value)[0]
        elif code == 0x06:
            return ALLOWED if value == 0x7FFF0000 else errno.errorcode[value & 0xFFFF]
        else:
            true = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[code]
            at += yes if true else no


def _call(machine: str, name: str, *arguments: int) -> str:
    return _run(machine, _TABLES[machine][name], *arguments)


@pytest.mark.parametrize("machine", _ARCH)
def test_every_listed_call_is_allowed_and_no_other_is(machine: str) -> None:
    special = {"clone", "clone3", "personality", "socket", "ioctl"}
    listed = {number for name, number in _TABLES[machine].items() if name not in special}
    decided_by_arguments = {_TABLES[machine][name] for name in special}
    for number in range(463):
        if number not in decided_by_arguments:
            expected = ALLOWED if number in listed else "EPERM"
            assert _run(machine, number) == expected, number


@pytest.mark.parametrize("machine", _ARCH)
@pytest.mark.parametrize("number", [463, 500, 1 << 20, (1 << 30) | 1, (1 << 32) - 1])
def test_calls_newer_than_the_tables_do_not_exist(machine: str, number: int) -> None:
    assert _run(machine, number) == "ENOSYS"


@pytest.mark.parametrize("machine", _ARCH)
def test_calls_of_another_processor_do_not_exist(machine: str) -> None:
    assert _run(machine, 1, arch=_I386) == "ENOSYS"


@pytest.mark.parametrize("machine", _ARCH)
def test_threads_and_processes_are_made_and_namespaces_are_not(machine: str) -> None:
    assert _call(machine, "clone", 0x3D0F00) == ALLOWED  # a thread
    assert _call(machine, "clone", 0x01200011) == ALLOWED  # fork
    for bit in (0x20000, *(1 << n for n in range(25, 31))):
        assert _call(machine, "clone", bit | 17) == "EPERM"
    assert _call(machine, "clone3") == "ENOSYS"


@pytest.mark.parametrize("machine", _ARCH)
def test_only_ordinary_sockets_are_made(machine: str) -> None:
    for family in range(48):
        expected = ALLOWED if family in (1, 2, 10, 16) else "EAFNOSUPPORT"
        assert _call(machine, "socket", family, 1, 0) == expected
    for protocol in range(24):
        expected = ALLOWED if protocol in (0, 4, 9) else "EPROTONOSUPPORT"
        assert _call(machine, "socket", 16, 3, protocol) == expected


@pytest.mark.parametrize("machine", _ARCH)
def test_nothing_is_typed_into_another_tty(machine: str) -> None:
    for request in (0x5412, 0x541C, 0x5423):
        assert _call(machine, "ioctl", 0, request) == "EPERM"
        assert _call(machine, "ioctl", 0, request | 1 << 32) == "EPERM"  # the kernel cuts it
    assert _call(machine, "ioctl", 0, 0x5413) == ALLOWED


@pytest.mark.parametrize("machine", _ARCH)
def test_only_ordinary_personalities_are_taken(machine: str) -> None:
    assert _call(machine, "personality", 0xFFFFFFFF) == ALLOWED
    assert _call(machine, "personality", 0) == ALLOWED
    assert _call(machine, "personality", 0x0040000) == "EPERM"


def test_an_unknown_processor_is_said_to_be_one() -> None:
    with pytest.raises(seccomp.UnknownProcessor, match="sparc"):
        seccomp.program("sparc")
