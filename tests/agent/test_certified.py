"""When a machine asks for its next certificate, and what it does when it gets none."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from brihaspati_agent import certificates, certified
from brihaspati_agent.acme import Certificate
from brihaspati_agent.certificates import CannotCertify

DAY = 24 * 3600
DAYS = 6


@dataclass
class Machine:
    """A machine at the control plane's moment `now`, in seconds; `asked` says when it asked.

    `refusals` are yet to come. Certificates are self-signed and count for six days from now.
    """

    folder: Path
    now: float = 0
    asked: list[float] = field(default_factory=list)
    refusals: int = 0

    def __post_init__(self) -> None:
        self.key = certificates.new_key()
        self.chain = certificates.openssl(
            *("req", "-x509", "-new", "-key", "/dev/stdin", "-subj", "/", "-days", str(DAYS)),
            stdin=self.key,
        )
        self.began = self.now = certificates.runs_out(self.chain) - DAYS * DAY
        self.ends_at = self.now + 100 * DAY

    def certified(self) -> certified.Certified:
        """As one agent of it has it: each start has a new one."""
        tls = certificates.Tls()
        kept = self.folder / "certificate.json"
        return certified.Certified(tls, kept, self._issue, self._millis, self._wait)

    def _millis(self) -> int:
        return round(self.now * 1000)

    def _issue(self) -> Certificate:
        self.asked.append(self.days())
        if self.refusals:
            self.refusals -= 1
            raise CannotCertify("too many certificates")
        return Certificate(self.chain, self.key)

    async def _wait(self, seconds: float) -> None:
        self.now = min(self.now + seconds, self.ends_at)
        if self.now >= self.ends_at:
            raise asyncio.CancelledError

    def days(self) -> float:
        """Since it began."""
        return round((self.now - self.began) / DAY, 2)

    def live(self, days: float) -> None:
        """Begin and keep on until then."""
        self.ends_at = self.began + days * DAY

        async def living() -> None:
            mine = self.certified()
            await mine.begin()
            await mine.keep()

        with pytest.raises(asyncio.CancelledError):
            asyncio.run(living())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_next_one_is_asked_for_at_half_of_its_life(machine: Machine) -> None:
    machine.live(3.5)
    assert machine.asked == [0, 3]


def test_a_refusal_is_asked_again_within_the_hour_and_long_before_it_runs_out(
    machine: Machine,
) -> None:
    machine.live(2.9)
    machine.refusals = 3
    machine.live(3.3)
    assert machine.asked == [0, 3.0, 3.04, 3.08, 3.12]


def test_an_agent_that_was_killed_serves_with_the_one_it_kept(machine: Machine) -> None:
    machine.live(1)
    machine.live(2)
    assert machine.asked == [0]


def test_what_was_kept_is_too_old_near_its_end(machine: Machine) -> None:
    machine.live(1)
    machine.now = machine.began + 5 * DAY
    machine.live(5.2)
    assert machine.asked == [0, 5]


@pytest.mark.parametrize("kept", ["", "{}", "[1]", json.dumps({"chain": "x"})])
def test_what_cannot_be_read_is_not_there(machine: Machine, kept: str) -> None:
    (machine.folder / "certificate.json").write_text(kept)
    machine.live(1)
    assert machine.asked == [0]


def test_a_first_one_that_is_refused_too_often_is_said_so(machine: Machine) -> None:
    machine.refusals = certified.TRIES_MAX
    with pytest.raises(CannotCertify, match="too many"):
        asyncio.run(machine.certified().begin())
    assert len(machine.asked) == certified.TRIES_MAX


def test_a_full_disk_keeps_nobody_from_serving(machine: Machine) -> None:
    machine.folder = Path("/proc/self")  # where nothing can be written
    machine.live(1)
    assert machine.asked == [0]
