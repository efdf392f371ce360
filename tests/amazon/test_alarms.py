"""EventBridge Scheduler as it is: names of 64 letters, whole seconds, create apart from update."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from botocore import exceptions

from brihaspati import ports
from brihaspati.adapters import eventbridge, memory, sqs
from emulators import amazon_stand
from emulators.amazon_stand import Made

ONE = ports.Message("sandbox", {"slot": "c#l#u"})
PLACE = eventbridge.Place("group", "arn:queue", "arn:dead", "arn:role", jitter_seconds=0)


class Scheduler:
    """The service in memory; `between` happens once, after a create that met another."""

    def __init__(self, between: Any = None) -> None:
        self.schedules: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.between = between

    def __call__(self, operation: str, **given: Any) -> dict[str, Any]:
        self.asked.append(operation)
        known = given["Name"] in self.schedules
        if operation == "create_schedule" and known:
            if self.between is not None:
                self.between()
                self.between = None
            raise _error("ConflictException", operation)
        if operation in ("update_schedule", "delete_schedule") and not known:
            raise _error("ResourceNotFoundException", operation)
        if operation == "delete_schedule":
            del self.schedules[given["Name"]]
        else:
            self.schedules[given["Name"]] = given
        return {}


def _error(code: str, operation: str) -> exceptions.ClientError:
    return exceptions.ClientError({"Error": {"Code": code}}, operation)


def _timer(ask: Any, place: eventbridge.Place = PLACE) -> tuple[eventbridge.Timer, memory.Queue]:
    clock = memory.ManualClock()
    queue = memory.Queue(clock)
    return eventbridge.Timer(ask, place, queue, clock, sqs.text_of), queue


def test_a_schedule_says_all_that_must_not_be_forgotten(made: Made) -> None:
    made.timer.set("c#l#u", made.clock.now() + 1500, ONE)
    name = eventbridge.schedule_name("c#l#u")
    found = made.timer.ask("get_schedule", GroupName=amazon_stand.GROUP, Name=name)
    assert found["ScheduleExpression"] == "at(2027-01-15T08:00:02)"
    assert found["ScheduleExpressionTimezone"] == "UTC"
    assert found["ActionAfterCompletion"] == "DELETE"
    target = found["Target"]
    assert target["RoleArn"] == amazon_stand.ROLE
    assert target["Input"] == sqs.text_of(ONE)
    assert target["DeadLetterConfig"]["Arn"] != target["Arn"]
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] >= 3600


@pytest.mark.parametrize("name", ["c#l#u", "x" * 1024, "#", "नमस्ते", "a b", "A", "a"])
def test_every_alarm_has_a_name_that_the_service_takes(name: str) -> None:
    assert re.fullmatch(r"[0-9a-zA-Z_.-]{1,64}", eventbridge.schedule_name(name))


def test_alarms_that_read_alike_have_schedules_of_their_own() -> None:
    names = ["c#l#u", "c-l-u", "c#l##u", "C#l#u", "c#l#u" + "x" * 99, "c#l#u" + "x" * 98]
    assert len({eventbridge.schedule_name(name) for name in names}) == len(names)


def test_setting_again_updates_and_setting_first_takes_one_call() -> None:
    ask = Scheduler()
    timer, _ = _timer(ask)
    timer.set("a", 1_900_000_000_000, ONE)
    assert ask.asked == ["create_schedule"]
    timer.set("a", 1_900_000_060_000, ONE)
    assert ask.asked[1:] == ["create_schedule", "update_schedule"]
    (schedule,) = ask.schedules.values()
    assert schedule["ScheduleExpression"] == "at(2030-03-17T17:47:40)"


def test_an_alarm_that_fires_while_it_is_moved_is_set_anew() -> None:
    ask = Scheduler()
    timer, _ = _timer(ask)
    timer.set("a", 1_900_000_000_000, ONE)
    ask.between = ask.schedules.clear
    timer.set("a", 1_900_000_060_000, ONE)
    assert len(ask.schedules) == 1


def test_an_alarm_that_others_change_all_the_time_is_busy() -> None:
    def ask(operation: str, **_: Any) -> dict[str, Any]:
        raise _error("ConflictException", operation)

    with pytest.raises(ports.Busy, match="too many"):
        _timer(ask)[0].set("a", 1_900_000_000_000, ONE)


def test_what_the_service_refuses_for_another_reason_is_raised() -> None:
    def ask(operation: str, **_: Any) -> dict[str, Any]:
        raise _error("ValidationException", operation)

    with pytest.raises(exceptions.ClientError, match="ValidationException"):
        _timer(ask)[0].set("a", 1_900_000_000_000, ONE)


def test_an_alarm_moved_into_the_past_comes_once() -> None:
    ask = Scheduler()
    timer, queue = _timer(ask)
    timer.set("a", 1_900_000_000_000, ONE)
    timer.set("a", 5, ONE)
    assert ask.schedules == {}
    assert [taken.message for taken in queue.take(9, visible_after_seconds=9)] == [ONE]


def test_an_alarm_of_a_topic_of_its_own_calls_a_function() -> None:
    ask = Scheduler()
    elsewhere = {"warm": "arn:function"}
    timer, _ = _timer(ask, replace(PLACE, elsewhere=elsewhere))
    timer.set("a", 1_900_000_000_000, ONE)
    timer.set("b", 1_900_000_000_000, ports.Message("warm", {}))
    assert [one["Target"]["Arn"] for one in ask.schedules.values()] == ["arn:queue", "arn:function"]


def test_alarms_of_one_moment_are_spread_and_each_keeps_its_share() -> None:
    ask = Scheduler()
    spread = eventbridge.Place("group", "arn:queue", "arn:dead", "arn:role", jitter_seconds=20)
    timer, _ = _timer(ask, spread)
    for _ in range(2):
        for n in range(200):
            timer.set(f"a{n}", 1_900_000_000_000, ONE)
        moments = [one["ScheduleExpression"] for one in ask.schedules.values()]
        assert min(moments) == "at(2030-03-17T17:46:40)"
        assert max(moments) == "at(2030-03-17T17:47:00)"
        assert max(moments.count(moment) for moment in moments) < 30
