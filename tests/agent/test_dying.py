"""When a rented machine ends by itself: by its uptime, whatever its clock and its student say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from brihaspati_agent import dying

NOW = 1_700_000_000_000
MINUTE = 60


@dataclass
class Machine:
    """A machine that has been up for `up` seconds."""

    file: Path
    up: float = 1000

    def agent(self) -> dying.Ends:
        """One of its agents: each start has a new one."""
        return dying.Ends(self.file, up=lambda: self.up)

    def off_at(self) -> int:
        """What `deadman.sh` reads."""
        return int(self.file.read_text())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "run/off-at")


def test_unanswered_for_half_an_hour_it_is_time_and_a_second_before_it_is_not(
    machine: Machine,
) -> None:
    ends = machine.agent()
    ends.heard(NOW, NOW + 8 * 60 * MINUTE * 1000)
    assert machine.off_at() == 1000 + 30 * MINUTE
    machine.up += 30 * MINUTE - 1
    assert not ends.is_due()
    machine.up += 1
    assert ends.is_due()


def test_each_answer_gives_another_half_hour(machine: Machine) -> None:
    ends = machine.agent()
    for _ in range(10):
        machine.up += 29 * MINUTE
        assert not ends.is_due()
        ends.heard(NOW, None)
    assert machine.off_at() == machine.up + 30 * MINUTE


def test_ten_minutes_past_the_deadline_it_is_time_however_often_it_is_answered(
    machine: Machine,
) -> None:
    ends = machine.agent()
    ends.heard(NOW, NOW + 5 * MINUTE * 1000)
    assert machine.off_at() == 1000 + 15 * MINUTE
    machine.up += 16 * MINUTE
    ends.heard(NOW + 16 * MINUTE * 1000, NOW + 5 * MINUTE * 1000)
    assert ends.is_due()
    ends.heard(NOW + 16 * MINUTE * 1000, NOW + 60 * MINUTE * 1000)  # a trainer gave more time
    assert not ends.is_due()


def test_a_machine_nobody_ever_answered_ends_too(machine: Machine) -> None:
    ends = machine.agent()
    machine.up += 30 * MINUTE
    assert ends.is_due()


def test_an_agent_that_was_killed_has_no_more_time_than_the_one_before(machine: Machine) -> None:
    machine.agent().heard(NOW, None)
    machine.up += 29 * MINUTE
    again = machine.agent()
    assert not again.is_due()
    machine.up += MINUTE
    assert again.is_due()


def test_a_file_somebody_spoilt_is_no_reason_to_fail(machine: Machine) -> None:
    machine.file.parent.mkdir()
    machine.file.write_text("never")
    ends = machine.agent()
    machine.up += 30 * MINUTE
    assert ends.is_due()


def test_the_promise_is_written_where_no_byte_is_free(machine: Machine) -> None:
    ends = machine.agent()
    ends.heard(NOW, None)
    before = machine.file.stat()
    machine.up += MINUTE
    ends.heard(NOW, None)
    after = machine.file.stat()
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)


def test_a_disk_that_cannot_be_wiped_does_not_keep_the_machine_on() -> None:
    done: list[str] = []

    def fails() -> None:
        raise OSError("a disk that does not answer")

    dying.finish((fails, lambda: done.append("off")))
    assert done == ["off"]
