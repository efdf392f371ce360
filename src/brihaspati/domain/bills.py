"""What the cloud mode's control plane costs: counted calls times dated list prices.

Machines are the provider's and not in it, nor are free tiers, taxes and traffic. Amounts are US
dollars; they are estimates, so floats do.
"""

from __future__ import annotations

from dataclasses import dataclass

from brihaspati.domain import looks

MILLION = 1_000_000
MINUTES_PER_MONTH = 30 * 24 * 60


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for `per` units, and where AWS publishes it."""

    dollars: float
    per: float
    unit: str
    source: str

    def of(self, units: float) -> float:
        """What so many units cost."""
        return units * self.dollars / self.per


# List prices of us-east-1, arm64, beyond the free tiers. They are from memory and from secondary
# pages of 2025 and 2026, not read off AWS's pages themselves: look there before you rely on them.
PRICED_ON = "2026-11-30"
_AWS = "https://aws.amazon.com"
PRICES = {
    "api": Price(1.00, MILLION, "requests", f"{_AWS}/api-gateway/pricing/"),
    "invocations": Price(0.20, MILLION, "invocations", f"{_AWS}/lambda/pricing/"),
    "compute": Price(0.0000133334, 1, "GB-seconds", f"{_AWS}/lambda/pricing/"),
    "reads": Price(0.125, MILLION, "read units", f"{_AWS}/dynamodb/pricing/on-demand/"),
    "writes": Price(0.625, MILLION, "write units", f"{_AWS}/dynamodb/pricing/on-demand/"),
    "queue": Price(0.40, MILLION, "requests", f"{_AWS}/sqs/pricing/"),
    "alarms set": Price(1.00, MILLION, "invocations", f"{_AWS}/eventbridge/pricing/"),
    "logs": Price(0.50, 1, "GB", f"{_AWS}/cloudwatch/pricing/"),
    "watching": Price(0.10, 1, "alarms a month", f"{_AWS}/cloudwatch/pricing/"),
    "storage": Price(0.45, 1, "GB a month", f"{_AWS}/dynamodb/pricing/on-demand/"),
}


@dataclass(frozen=True, slots=True)
class Calls:
    """What one student has the control plane do. Units are DynamoDB's, of reads and of writes."""

    requests: float
    messages: float
    alarms: float
    reads: float
    writes: float

    def __add__(self, other: Calls) -> Calls:
        return Calls(
            self.requests + other.requests,
            self.messages + other.messages,
            self.alarms + other.alarms,
            self.reads + other.reads,
            self.writes + other.writes,
        )

    def times(self, count: float) -> Calls:
        """So many of them."""
        return Calls(
            self.requests * count,
            self.messages * count,
            self.alarms * count,
            self.reads * count,
            self.writes * count,
        )


# Counted by tests/engine/test_bills.py on the real engine: join, class page, Play, ready, the lab's
# page, a terminal, ten minutes more, stop, gone; and one look at a lab that runs.
LESSON = Calls(requests=10, messages=3, alarms=3, reads=24, writes=87)
LOOK = Calls(requests=1, messages=0, alarms=0, reads=1, writes=0)
# A sign of life of a rented machine; likewise.
BEAT = Calls(requests=1, messages=0, alarms=0, reads=3, writes=1)
# How often pages look while a lab runs, and machines say that they live (wiring/cloud.py).
LOOK_SECONDS = looks.AFAR.calm_ms / 1000
BEAT_SECONDS = 60.0
# How long a rented machine boots, and takes to be verified gone.
START_MS, END_MS = 75_000, 40_000

# Not counted but assumed, on the side of caution.
FUNCTION_GB = 0.5
REQUEST_SECONDS = 0.025
WORK_SECONDS = 0.3
LOG_BYTES = 300
QUEUE_REQUESTS_PER_MESSAGE = 3
STORED_GB = 1.0
ALARMS = 25
QUEUES = 3
POLLERS = 5
POLL_SECONDS = 20


def lesson_hour(look_seconds: float = LOOK_SECONDS) -> Calls:
    """All of one student in an hour of class."""
    moving = looks.counted(looks.AFAR, "starting", START_MS)
    moving += looks.counted(looks.AFAR, "stopping", END_MS)
    return LESSON + LOOK.times(moving + 3600 / look_seconds) + BEAT.times(3600 / BEAT_SECONDS)


def student_hour(look_seconds: float = LOOK_SECONDS) -> dict[str, float]:
    """The bill of one student for an hour of class, by kind of price."""
    calls = lesson_hour(look_seconds)
    runs = calls.requests + calls.messages
    seconds = calls.requests * REQUEST_SECONDS + calls.messages * WORK_SECONDS
    units = {
        "api": calls.requests,
        "invocations": runs,
        "compute": seconds * FUNCTION_GB,
        "reads": calls.reads,
        "writes": calls.writes,
        "queue": calls.messages * QUEUE_REQUESTS_PER_MESSAGE,
        "alarms set": calls.alarms,
        "logs": runs * LOG_BYTES / 1e9,
    }
    return {name: PRICES[name].of(count) for name, count in units.items()}


def month_at_rest() -> dict[str, float]:
    """The bill of a month in which nobody comes: storage, alarms, and the duties that never end."""
    polls = QUEUES * POLLERS * MINUTES_PER_MONTH * 60 / POLL_SECONDS
    sweeps = MINUTES_PER_MONTH
    units = {
        "storage": STORED_GB,
        "watching": ALARMS,
        "queue": polls,
        "invocations": sweeps,
        "compute": sweeps * WORK_SECONDS * FUNCTION_GB,
        "alarms set": sweeps,
        "reads": sweeps * 8.0,
    }
    return {name: PRICES[name].of(count) for name, count in units.items()}


def class_hour(students: int, look_seconds: float = LOOK_SECONDS) -> float:
    """What an hour of class costs above rest."""
    return students * sum(student_hour(look_seconds).values())
