"""A class, looked at days before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati.domain import preflight
from brihaspati.domain.pace import Window
from brihaspati.domain.preflight import Figures, Standing, Wanted

WANTED = Wanted("Linux", "hello", 40, 1, 1.5, "01 May 2030, 09:00 UTC")
GOOD = Standing(
    provider="digitalocean",
    region="fra1",
    size="s-1vcpu-1gb",
    price_micros_per_hour=9_000,
    machines_max=100,
    machines_now=5,
    image_ready=True,
    windows=(Window(240, 60),),
    boot_seconds=75,
)


def verdicts(standing: Standing, wanted: Wanted = WANTED) -> dict[str, str]:
    return {one.name: one.verdict for one in preflight.look(standing, wanted)}


def test_a_class_that_fits_has_nothing_to_do() -> None:
    assert set(verdicts(GOOD).values()) == {"ok"}


def test_a_limit_that_is_too_low_comes_with_the_letter_that_asks_for_more() -> None:
    found = preflight.look(replace(GOOD, machines_max=44), WANTED)
    (limit,) = [one for one in found if one.name == "limit"]
    assert limit.verdict == "missing"
    assert limit.letter is not None
    for word in ("45 machines", "s-1vcpu-1gb", "fra1", "01 May 2030", "40 students", "1.5 hours"):
        assert word in limit.letter


def test_a_limit_nobody_tells_is_asked_for() -> None:
    found = preflight.look(replace(GOOD, machines_max=None), WANTED)
    assert [one.verdict for one in found if one.letter] == ["warn"]


def test_what_is_lacking_is_named_with_its_fix() -> None:
    for change, name in (
        ({"region_fit": False}, "region"),
        ({"size": None}, "region"),
        ({"image_ready": False}, "image"),
        ({"windows": (Window(1, 60),)}, "rate"),
    ):
        found = preflight.look(replace(GOOD, **change), WANTED)
        bad = [one for one in found if one.verdict != "ok"]
        assert [one.name for one in bad] == [name]
        assert all(one.fix for one in bad)


def test_a_lab_without_a_setup_needs_no_image() -> None:
    found = preflight.look(replace(GOOD, image_ready=None), WANTED)
    (image,) = [one for one in found if one.name == "image"]
    assert (image.verdict, image.text) == ("ok", "hello has nothing to bake.")


def test_a_budget_that_does_not_reach_is_said() -> None:
    assert verdicts(GOOD, replace(WANTED, budget_micros=539_999))["budget"] == "warn"
    assert verdicts(GOOD, replace(WANTED, budget_micros=540_000))["budget"] == "ok"


def test_the_rush_is_what_turns_would_take() -> None:
    assert preflight.rush_seconds((Window(20, 15),), 500) == 24 * 15.1


def test_who_cannot_be_asked_is_the_only_finding() -> None:
    (found,) = preflight.look(Standing("linode", fault="linode: Invalid Token"), WANTED)
    assert found.verdict == "missing"


def test_an_answer_to_a_letter_takes_longer_than_there_is() -> None:
    low = replace(GOOD, machines_max=44)
    assert verdicts(low, replace(WANTED, days=5))["time"] == "ok"
    assert verdicts(low, replace(WANTED, days=4.9))["time"] == "warn"
    assert verdicts(GOOD, replace(WANTED, days=0.1))["time"] == "ok"
    (time,) = [one for one in preflight.look(GOOD, replace(WANTED, days=-1)) if one.name == "time"]
    assert time.text == "The class has begun."


@pytest.mark.parametrize(
    ("issuer", "rounds", "state"),
    [
        ("https://acme-v02.api.letsencrypt.org/directory", 5, "enough"),
        ("https://acme-v02.api.letsencrypt.org/directory", 6, "scarce"),
        ("https://ca.example.org/directory", 1, "unknown"),
        ("", 1, "off"),
    ],
)
def test_certificates_are_counted_as_the_issuer_counts(
    issuer: str, rounds: int, state: str
) -> None:
    wanted = replace(WANTED, rounds=rounds, students=500, at_once=2)
    found = {one.name: one for one in preflight.look(replace(GOOD, issuer=issuer), wanted)}
    assert found["certificates"].state == state
    assert (found["certificates"].verdict == "ok") == (state == "enough")
    assert (found["certificates"].fix is None) == (state == "enough")


def test_names_are_counted_before_they_are_needed() -> None:
    states = {}
    for names in (39, 40):
        found = {one.name: one for one in preflight.look(replace(GOOD, names=names), WANTED)}
        states[names] = (found["certificates"].state, found["certificates"].verdict)
    assert states == {39: ("few_names", "warn"), 40: ("named", "ok")}


def test_the_figures_are_those_of_the_texts() -> None:
    told = preflight.figures(GOOD, WANTED)
    assert told == Figures(
        needed=40,
        machines_max=100,
        machines_now=5,
        begins_seconds=0,
        boot_seconds=75,
        micros_per_hour=9_000,
        cost_micros=540_000,
    )
    assert preflight.figures(Standing("linode", fault="no"), WANTED) is None
