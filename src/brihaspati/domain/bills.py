"""What the cloud mode's control plane costs: counted calls times dated list prices.

Machines are the provider's and not in it, nor are free tiers, taxes and traffic. Amounts are US
dollars; they are estimates, so floats do.
"""

from __future__ import annotations

import operator
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
    "metrics": Price(0.30, 1, "metrics a month", f"{_AWS}/cloudwatch/pricing/"),
    "dashboards": Price(3.00, 1, "dashboards a month", f"{_AWS}/cloudwatch/pricing/"),
    "storage": Price(0.45, 1, "GB a month", f"{_AWS}/dynamodb/pricing/on-demand/"),
}


@dataclass(frozen=True, slots=True)
class Calls:
    """What one student has the control plane do. Units are DynamoDB's, of reads and of writes.

    `messages` are all that queues carry, `scripts` those of them that run scripts in a lab.
    """

    requests: float
    messages: float
    alarms: float
    reads: float
    writes: float
    scripts: float = 0

    def __add__(self, other: Calls) -> Calls:
        return Calls(*map(operator.add, _numbers(self), _numbers(other)))

    def __sub__(self, other: Calls) -> Calls:
        return Calls(*map(operator.sub, _numbers(self), _numbers(other)))

    def times(self, count: float) -> Calls:
        """So many of them."""
        return Calls(*(number * count for number in _numbers(self)))


_numbers = operator.attrgetter("requests", "messages", "alarms", "reads", "writes", "scripts")

# Counted by tests/engine/test_bills.py on the real engine and the real routes: join, class page,
# Play, ready, the lab's page, a terminal, ten minutes more, stop, gone; one look at a lab that
# runs, and one at a class page.
LESSON = Calls(requests=10, messages=3, alarms=3, reads=24, writes=63)
LOOK = Calls(requests=1, messages=0, alarms=0, reads=1, writes=0)
CLASS_LOOK = Calls(requests=1, messages=0, alarms=0, reads=2, writes=0)
# A press of Check until its verdict is on the screen, by one look; a turn of the page, or a hint,
# or an answer to a question.
CHECK = Calls(requests=2, messages=1, alarms=0, reads=7, writes=5, scripts=1)
TURN = Calls(requests=1, messages=0, alarms=0, reads=1, writes=2)
# A sign of life of a rented machine, and what is more of it when somebody goes on typing, which is
# written down every few minutes (engine/machines.py).
BEAT = Calls(requests=1, messages=0, alarms=0, reads=3, writes=1)
TYPED = Calls(requests=0, messages=0, alarms=0, reads=1, writes=3)
# A look at the board of a class of this size.
BOARD_STUDENTS = 30
BOARD_LOOK = Calls(requests=1, messages=0, alarms=0, reads=6.5, writes=0)
# How often pages look while a lab runs, and machines say that they live (wiring/cloud.py).
LOOK_SECONDS = looks.AFAR.calm_ms / 1000
BEAT_SECONDS, TYPED_SECONDS = 120.0, 300.0
# How long a rented machine boots, and takes to be verified gone.
START_MS, END_MS = 75_000, 40_000
# What a student does in an hour of class, and for how long the class page is before them.
CHECKS, TURNS = 10, 12
CLASS_SECONDS = 300

# Not counted but assumed, on the side of caution.
REQUEST_GB, FUNCTION_GB = 1.0, 0.5
REQUEST_SECONDS = 0.025
WORK_SECONDS = 0.3
SCRIPT_SECONDS = 0.5
LOG_BYTES = 300
QUEUE_REQUESTS_PER_MESSAGE = 3
STORED_GB = 1.0
# In the template; of the metrics, those that the sweep of every minute tells (engine/sweeping.py).
# The rest is told while classes are on, and paid by the hour: a quarter of a cent for all six.
ALARMS, DASHBOARDS, METRICS_AT_REST = 22, 1, 4
QUEUES = 3
POLLERS = 5
POLL_SECONDS = 20


def lesson_hour(look_seconds: float = LOOK_SECONDS) -> Calls:
    """All that pages do for one student in an hour of class, the trainer's share with it."""
    moving = looks.counted(looks.AFAR, "starting", START_MS)
    moving += looks.counted(looks.AFAR, "stopping", END_MS)
    calm_seconds = 3600 - CLASS_SECONDS - (START_MS + END_MS) / 1000
    looking = LOOK.times(moving + calm_seconds / look_seconds)
    looking += CLASS_LOOK.times(CLASS_SECONDS * 1000 / looks.AFAR.class_ms)
    board = BOARD_LOOK.times(3_600_000 / looks.AFAR.board_ms / BOARD_STUDENTS)
    return LESSON + CHECK.times(CHECKS) + TURN.times(TURNS) + looking + board


def student_hour(look_seconds: float = LOOK_SECONDS) -> dict[str, float]:
    """The bill of one student for an hour of class, by kind of price."""
    pages = lesson_hour(look_seconds)
    beats = BEAT.times(3600 / BEAT_SECONDS) + TYPED.times(3600 / TYPED_SECONDS)
    calls = pages + beats
    runs = calls.requests + calls.messages
    units = {
        "api": calls.requests,
        "invocations": runs,
        "compute": _gigabyte_seconds(pages, REQUEST_GB) + _gigabyte_seconds(beats, FUNCTION_GB),
        "reads": calls.reads,
        "writes": calls.writes,
        "queue": calls.messages * QUEUE_REQUESTS_PER_MESSAGE,
        "alarms set": calls.alarms,
        "logs": runs * LOG_BYTES / 1e9,
    }
    return {name: PRICES[name].of(count) for name, count in units.items()}


def _gigabyte_seconds(calls: Calls, request_gb: float) -> float:
    work_seconds = (calls.messages - calls.scripts) * WORK_SECONDS + calls.scripts * SCRIPT_SECONDS
    return calls.requests * REQUEST_SECONDS * request_gb + work_seconds * FUNCTION_GB


def month_at_rest() -> dict[str, float]:
    """The bill of a month in which nobody comes: storage, alarms, and the duties that never end."""
    polls = QUEUES * POLLERS * MINUTES_PER_MONTH * 60 / POLL_SECONDS
    sweeps = MINUTES_PER_MONTH
    units = {
        "storage": STORED_GB,
        "watching": ALARMS,
        "metrics": METRICS_AT_REST,
        "dashboards": DASHBOARDS,
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
