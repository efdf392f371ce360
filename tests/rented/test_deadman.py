"""Machines that nobody answers end by themselves: two real ones, with half an hour made short."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from brihaspati_cloudsim.servers import Server
from rented.household import Household, household

pytestmark = [pytest.mark.root, pytest.mark.slow]
SILENT_SECONDS = "20"
WORK = "/root/essay.txt"
# What a student with root may do to be alone: nothing leaves the machine any more.
ALONE = (
    "nft 'add table inet alone; add chain inet alone out"
    " { type filter hook output priority -150; ct state new drop; }'"
)
# Ends what would end the machine in order, for good.
STOPPED = "systemctl disable --now brihaspati-agent"


def test_a_machine_without_an_answer_is_wiped_and_off_whoever_of_its_two_watchers_is_left(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with household(tmp_path, BRIHASPATI_MACHINE_SILENT_SECONDS=SILENT_SECONDS) as house:
        cut_off, agentless = house.student("Asha"), house.student("Bela")
        for student in (cut_off, agentless):
            student.play()
        servers = {server.name: server for server in house.world.running()}
        assert len(servers) == 2
        for student in (cut_off, agentless):
            with student.terminal() as terminal:
                terminal.run(f"echo mine >{WORK}; sync; echo kept-$?", until="kept-0")
        assert all(_file(house, server).exists() for server in servers.values())
        for student, deed in ((cut_off, ALONE), (agentless, STOPPED)):
            with student.terminal() as terminal:
                terminal.line.send(f"\x00setsid sh -c 'sleep 0.2; {_quoted(deed)}' &\n".encode())
        for server in servers.values():
            house.until(functools.partial(_is_off, server))
            assert not _file(house, server).exists()
    record_property(
        "proved",
        "dead-man switch: one machine cut off by its student, one without its agent; both wiped"
        f" themselves and switched off after {SILENT_SECONDS} s (30 min made short)",
    )


def _is_off(server: Server) -> bool:
    return not server.powered


def _quoted(deed: str) -> str:
    return deed.replace("'", "'\\''")


def _file(house: Household, server: Server) -> Path:
    return house.pool.folder / server.key / "root" / WORK.lstrip("/")
