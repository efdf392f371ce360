"""SQS as it is: delays of 15 minutes, bodies of 256 KiB, batches, letters nobody can read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from brihaspati import ports
from brihaspati.adapters import clocks, sqs
from emulators.amazon_stand import Made

ONE = ports.Message("start", {"sandbox": "abc", "odd": "\x00\ufffe😀"})


def _take(made: Made) -> list[ports.Taken]:
    return made.queue.take(20, visible_after_seconds=30)


def test_what_waits_longer_than_sqs_can_comes_by_an_alarm(made: Made) -> None:
    made.queue.put(ONE, delay_seconds=3600)
    assert made.timer.next_at() == made.clock.now() + 3_600_000
    made.clock.advance(3599)
    assert made.timer.fire(made.clock.now()) == 0
    assert _take(made) == []
    made.clock.advance(1)
    assert made.timer.fire(made.clock.now()) == 1
    assert [taken.message for taken in _take(made)] == [ONE]


def test_what_waits_as_long_as_sqs_can_needs_no_alarm(made: Made) -> None:
    made.queue.put(ONE, delay_seconds=900)
    assert made.timer.next_at() is None
    made.clock.advance(900)
    assert [taken.message for taken in _take(made)] == [ONE]


def test_a_topic_may_have_a_queue_of_its_own(made: Made) -> None:
    place = sqs.Place(made.place.dead_url, "", {"start": made.place.url})
    queue = sqs.Queue(made.ask, place, made.clock, clocks.SystemChance(), made.timer.set)
    queue.put(ONE)
    assert [taken.message for taken in _take(made)] == [ONE]


def test_letters_that_sqs_refuses_arrive(made: Made) -> None:
    made.queue.put(ONE)
    assert [taken.message for taken in _take(made)] == [ONE]


def test_a_message_that_is_too_large_on_the_wire_is_refused_in_words(made: Made) -> None:
    # In UTF-8 it would fit; on the wire each of these letters has six bytes.
    with pytest.raises(ports.Refused, match=r"\d+ bytes on the wire; at most 262144 fit"):
        made.queue.put(ports.Message("t", {"a": "é" * 50_000}))
    room = sqs.BODY_BYTES_MAX - len(sqs.text_of(ports.Message("t", {"a": ""})))
    made.queue.put(ports.Message("t", {"a": "x" * room}))
    assert len(_take(made)) == 1


@pytest.mark.parametrize(
    "text", ["no JSON", "[]", "{}", '{"topic":"","body":{}}', '{"topic":"t","body":[]}', "[" * 9999]
)
def test_a_message_nobody_of_us_put_disturbs_no_other_and_ends_with_the_dead(
    made: Made, text: str
) -> None:
    made.ask("send_message", QueueUrl=made.place.url, MessageBody=text)
    made.queue.put(ONE)
    (taken,) = _take(made)
    made.queue.done(taken)
    for _ in range(4):
        made.clock.advance(30)
        assert _take(made) == []
    assert made.queue.dead() == []  # it is there, but who could say what it is
    found = made.ask("receive_message", QueueUrl=made.place.dead_url)
    assert [one["Body"] for one in found["Messages"]] == [text]


def test_the_dead_start_anew_all_of_them(made: Made) -> None:
    for n in range(23):
        made.queue.put(ports.Message("t", {"n": n}))
    for _ in range(3):
        assert len(made.queue.take(30, visible_after_seconds=30)) == 23
        made.clock.advance(30)
    assert _take(made) == []
    assert len(made.queue.dead(15)) == 15
    assert made.queue.redrive() == 23
    found = made.queue.take(30, visible_after_seconds=30)
    assert sorted(taken.message.body["n"] for taken in found) == list(range(23))
    assert {taken.tries for taken in found} == {1}
    assert made.queue.dead() == []


def _record(number: int, body: str, tries: str = "1") -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": tries}
    own = {"messageId": f"m{number}", "receiptHandle": f"r{number}"}
    return {**own, "body": body, "attributes": attributes}


def test_a_batch_is_read_one_by_one_and_only_failures_come_back() -> None:
    event = {"Records": [_record(1, sqs.text_of(ONE), "3"), _record(2, "no JSON")]}
    good, bad = sqs.deliveries(event)
    assert good.taken() == ports.Taken(ONE, "r1", 3)
    with pytest.raises(sqs.BadDelivery, match="the message m2 cannot be read"):
        bad.taken()
    assert sqs.failures([bad.id]) == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    assert sqs.failures([]) == {"batchItemFailures": []}


@pytest.mark.parametrize("event", [{}, {"Records": [{}]}, {"Records": 7}, {"Records": ["x"]}, []])
def test_what_is_no_event_of_sqs_is_said_to_be_none(event: Any) -> None:
    with pytest.raises(sqs.BadDelivery, match="no event of SQS"):
        sqs.deliveries(event)


def test_the_text_of_a_message_is_json_of_topic_and_body() -> None:
    text = sqs.text_of(ONE)
    assert text.isascii()
    assert json.loads(text) == {"topic": ONE.topic, "body": ONE.body}
    assert sqs.message_of(text) == ONE
