"""Queues and schedules of the emulator of AWS, as engines of the contract tests."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import secrets
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brihaspati import ports
from brihaspati.adapters import amazon, clocks, eventbridge, keyring, memory, ses, sqs, ssm
from emulators import servers

GROUP = "bh-test"
ROLE = "arn:aws:iam::000000000000:role/alarms"


class FileClock(memory.ManualClock):
    """A clock that the emulator reads too."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        _tell(self.path, self.now())

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        _tell(self.path, self.now())

    def set(self, now: int) -> None:
        super().set(now)
        _tell(self.path, self.now())


@dataclass
class Counted:
    """A queue that counts what is put."""

    queue: ports.Queue
    puts: int = 0

    def put(self, message: ports.Message, *, delay_seconds: float = 0) -> None:
        self.puts += 1
        self.queue.put(message, delay_seconds=delay_seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.queue, name)


@dataclass
class Alarms:
    """The timer, with what the contract asks of those who fire their alarms themselves."""

    timer: ports.Timer
    ask: amazon.Ask
    clock: FileClock
    direct: Counted
    names: dict[str, str] = field(default_factory=dict)

    def set(self, name: str, at: ports.Moment, message: ports.Message) -> None:
        self.timer.set(name, at, message)

    def cancel(self, name: str) -> None:
        self.timer.cancel(name)

    def fire(self, now: ports.Moment) -> int:
        """Let the service look at its schedules at this moment; how many fired."""
        before = len(self._all())
        _tell(self.clock.path.with_suffix(".alarms"), now)
        self._await_look()
        _tell(self.clock.path.with_suffix(".alarms"), 0)
        direct, self.direct.puts = self.direct.puts, 0
        return before - len(self._all()) + direct

    def next_at(self) -> ports.Moment | None:
        moments = [self._moment(one["Name"]) for one in self._all()]
        return min(moments, default=None)

    def _all(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("list_schedules", GroupName=GROUP)["Schedules"]
        return found

    def _moment(self, name: str) -> int:
        at = self.ask("get_schedule", GroupName=GROUP, Name=name)["ScheduleExpression"]
        return round(time.mktime(time.strptime(at, "at(%Y-%m-%dT%H:%M:%S)")) - time.timezone) * 1000

    def _await_look(self) -> None:
        """Until a look that began after now is over."""
        ticks = self.clock.path.with_suffix(".ticks")
        begun, deadline = _count(ticks), time.monotonic() + servers.START_SECONDS_MAX
        while _count(ticks) < begun + 2:
            assert time.monotonic() < deadline, "the emulator looks at no schedule"
            time.sleep(0.005)


@dataclass(frozen=True)
class Made:
    """A new queue with its dead-letter queue, and the timer that sends there."""

    clock: FileClock
    queue: sqs.Queue
    timer: Alarms
    place: sqs.Place
    arn: str
    ask: amazon.Ask


@contextlib.contextmanager
def made(address: str, clock_file: Path, tries_max: int) -> Iterator[Made]:
    """Queue and timer on the emulator at an address."""
    clock = FileClock(clock_file)
    services = services_at(address)
    ask, schedules = services.of("sqs"), services.of("scheduler")
    dead = _queue(ask, {})
    policy = {"deadLetterTargetArn": _arn(ask, dead), "maxReceiveCount": tries_max}
    place = sqs.Place(_queue(ask, {"RedrivePolicy": json.dumps(policy)}), dead)
    schedules("create_schedule_group", Name=GROUP)
    alarm_place = eventbridge.Place(GROUP, _arn(ask, place.url), _arn(ask, dead), ROLE, 0)

    def later(name: str, at: ports.Moment, message: ports.Message) -> None:
        timer.set(name, at, message)

    queue = sqs.Queue(ask, place, clock, clocks.SystemChance(), later)
    direct = Counted(queue)
    timer = eventbridge.Timer(schedules, alarm_place, direct, clock, sqs.text_of)
    try:
        yield Made(
            clock, queue, Alarms(timer, schedules, clock, direct), place, alarm_place.queue_arn, ask
        )
    finally:
        schedules("delete_schedule_group", Name=GROUP)
        for url in (place.url, place.dead_url):
            ask("delete_queue", QueueUrl=url)


@contextlib.contextmanager
def another_queue(address: str) -> Iterator[tuple[str, str]]:
    """A queue's address and ARN."""
    ask = services_at(address).of("sqs")
    url = _queue(ask, {})
    try:
        yield url, _arn(ask, url)
    finally:
        ask("delete_queue", QueueUrl=url)


def keys(address: str, folder: Path) -> ssm.Keys:
    """The keys of a data folder (made if there are none), moved to the parameter store."""
    keyring.Keyring(folder)
    ask, prefix = services_at(address).of("ssm"), f"/brihaspati/{secrets.token_hex(6)}"
    for name, file in ((ssm.SIGNING_NAME, keyring.SIGNING_FILE), (ssm.MAC_NAME, keyring.MAC_FILE)):
        value = (folder / file).read_text()
        ask("put_parameter", Name=f"{prefix}/{name}", Value=value, Type="SecureString")
    return ssm.Keys(ssm.Parameters(ask, prefix))


class Sent(ses.Letters):
    """Letters, and those that the emulator has taken from us."""

    def __init__(self, address: str) -> None:
        ask, sender = services_at(address).of("sesv2"), f"{secrets.token_hex(6)}@example.org"
        ask("create_email_identity", EmailIdentity=sender)
        super().__init__(ask, sender)
        self.address = address
        self.sender = sender

    def letters(self) -> list[tuple[str, str, str]]:
        with urllib.request.urlopen(f"{self.address}/_ministack/ses/messages") as answer:
            taken = itertools.chain(*json.load(answer)["messages"].values())
        found = [one for one in taken if one["Source"] == self.sender]
        return [(one["To"][0], one["Subject"], one["BodyText"]) for one in found]


@functools.cache
def services_at(address: str) -> amazon.Services:
    """Clients of the emulator; they take long to make."""
    return amazon.Services(servers.REGION, address, servers.KEYS)


def _queue(ask: amazon.Ask, attributes: dict[str, str]) -> str:
    name = f"q{secrets.token_hex(6)}"
    url: str = ask("create_queue", QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def _arn(ask: amazon.Ask, url: str) -> str:
    found = ask("get_queue_attributes", QueueUrl=url, AttributeNames=["QueueArn"])
    arn: str = found["Attributes"]["QueueArn"]
    return arn


def _tell(path: Path, moment: int) -> None:
    """Write a moment in one piece: the emulator reads it all the time."""
    aside = path.with_suffix(f"{path.suffix}.aside")
    aside.write_text(str(moment))
    aside.rename(path)


def _count(ticks: Path) -> int:
    return int(ticks.read_text()) if ticks.exists() else 0
