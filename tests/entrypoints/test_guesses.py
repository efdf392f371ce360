"""Wrong class codes are limited by source address; right ones never are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from brihaspati.entrypoints.server import guesses, sources
from house import Browser, House

WRONG = {"code": "WRONGONE", "name": "Eve"}


@dataclass
class Doorbell:
    """A class behind the limit, and a clock that the test turns."""

    proxied: bool = False
    now: float = 0
    remembered: int = 10_000
    house: House = field(default_factory=House)

    def __post_init__(self) -> None:
        self.house.classroom()
        self.browser = Browser(self.house)
        api = self.browser.api
        self.limit = guesses.Guesses(api, lambda: self.now, sources_max=self.remembered)

    def send(self, method: str, path: str, body: Any = None, **of: str) -> Browser:
        browser = self.browser
        browser.cookies.clear()
        source = of.get("source", "10.0.0.1")
        headers = {"x-forwarded-for": of["said"]} if "said" in of else {}

        def come(event: dict[str, Any]) -> dict[str, Any]:
            came_from = sources.source(source, headers, proxied=self.proxied)
            event["requestContext"]["http"]["sourceIp"] = came_from
            return self.limit(event)

        browser.api = come  # type: ignore[assignment]
        browser.send(method, path, body, headers=headers)
        return browser

    def guess(self, **of: str) -> int:
        return self.send("POST", "/v1/join", WRONG, **of).status

    def use_up(self, **of: str) -> None:
        assert {self.guess(**of) for _ in range(guesses.WRONG_AT_ONCE)} == {404}


def test_after_thirty_wrong_codes_even_a_right_one_has_to_wait() -> None:
    door = Doorbell()
    door.use_up()
    refused = door.send("POST", "/v1/join", {"code": "MARIGOLD", "name": "Asha"})
    assert refused.status == 429
    assert refused.last["headers"]["Retry-After"] == "2"
    assert refused.last["headers"]["Content-Type"] == "application/problem+json"
    assert refused.last["headers"]["Cache-Control"] == "no-store"
    door.now += 2
    assert door.send("POST", "/v1/join", {"code": "MARIGOLD", "name": "Asha"}).status == 201


def test_codes_are_not_guessed_any_faster_by_looking_at_classes() -> None:
    door = Doorbell()
    for _ in range(guesses.WRONG_AT_ONCE):
        assert door.send("GET", "/v1/join/WRONGONE").status == 404
    assert door.send("GET", "/v1/join/MARIGOLD").status == 429
    assert door.guess() == 429


def test_over_an_hour_somebody_gets_no_more_than_thirty_guesses_a_minute() -> None:
    door, answered = Doorbell(), 0
    for _ in range(3600):
        door.now += 1
        answered += door.guess() == 404
    assert answered <= 60 * guesses.WRONG_A_MINUTE + guesses.WRONG_AT_ONCE


def test_a_whole_class_behind_one_address_joins_at_once() -> None:
    door = Doorbell()
    for number in range(30):
        assert door.send("GET", "/v1/join/MARIGOLD").status == 200
        body = {"code": "MARIGOLD", "name": f"Student {number}"}
        assert door.send("POST", "/v1/join", body).status == 201


def test_a_code_that_cannot_be_one_is_a_typing_mistake_and_not_a_guess() -> None:
    door = Doorbell()
    for _ in range(2 * guesses.WRONG_AT_ONCE):
        assert door.send("POST", "/v1/join", {"code": "MARI", "name": "Asha"}).status == 422


def test_the_guesses_of_one_source_cost_no_other_and_nothing_but_joining() -> None:
    door = Doorbell()
    door.use_up()
    assert door.guess() == 429
    assert door.guess(source="10.0.0.2") == 404
    assert door.send("GET", "/v1/session").status == 200


def test_an_ipv6_network_is_one_source_and_a_mapped_address_is_itself() -> None:
    door = Doorbell()
    door.use_up(source="2001:db8:1:2::1")
    assert door.guess(source="2001:db8:1:2:ffff::9") == 429
    assert door.guess(source="2001:db8:1:3::1") == 404
    door.use_up(source="::ffff:10.0.0.7")
    assert door.guess(source="10.0.0.7") == 429
    assert door.guess(source="::ffff:10.0.0.8") == 404


@pytest.mark.parametrize("said", ["10.9.9.9", "1.2.3.4, 10.9.9.9", "nonsense,10.9.9.9"])
def test_behind_a_proxy_the_source_is_whom_the_proxy_saw(said: str) -> None:
    door = Doorbell(proxied=True)
    door.use_up(source="127.0.0.1", said="6.6.6.6, 10.9.9.9")
    assert door.guess(source="127.0.0.1", said=said) == 429
    assert door.guess(source="127.0.0.1", said="10.9.9.9, 10.9.9.8") == 404


@pytest.mark.parametrize(("proxied", "source"), [(False, "127.0.0.1"), (True, "10.0.0.1")])
def test_nobody_else_says_where_they_come_from(*, proxied: bool, source: str) -> None:
    door = Doorbell(proxied=proxied)
    for number in range(guesses.WRONG_AT_ONCE):
        assert door.guess(source=source, said=f"10.1.1.{number}") == 404
    assert door.guess(source=source, said="10.2.2.2") == 429


def test_no_more_sources_are_remembered_than_fit() -> None:
    door = Doorbell(remembered=100)
    for number in range(150):
        door.guess(source=f"10.3.0.{number}")
    assert len(door.limit._forgotten_at) == 100
