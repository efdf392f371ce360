"""Each fault does what it says, at both providers, and leaves behind what it says."""

from __future__ import annotations

from typing import Any

import pytest

from brihaspati_cloudsim import control, faults
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.exchange import Answer
from standin import BOOTED, DROPLET, INSTANCE, Standin

PROVIDERS = ("digitalocean", "linode")
LIST = {"digitalocean": "/v2/droplets", "linode": "/v4/linode/instances"}
BODY: dict[str, dict[str, Any]] = {"digitalocean": DROPLET, "linode": INSTANCE | BOOTED}


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def cloud() -> Standin:
    return Standin()


def _create(cloud: Standin, provider: str) -> Answer:
    return cloud.ask("POST", LIST[provider], BODY[provider])


def _one(cloud: Standin, provider: str) -> str:
    made = _create(cloud, provider).body
    return f"{LIST[provider]}/{made.get('droplet', made)['id']}"


@pytest.mark.parametrize(
    ("kind", "fields", "seen"),
    [
        ("status", {"status": 503}, (503, "answered", 0)),
        ("rate", {"seconds": 7}, (429, "answered", 0)),
        ("unauthorized", {}, (401, "answered", 0)),
        ("drop", {}, (None, "cut", 0)),
        ("hang", {"seconds": 12}, (None, "cut", 0)),
        ("status_after", {"status": 504}, (504, "answered", 1)),
        ("status_after", {"status": 503, "seconds": 3}, (503, "answered", 1)),
        ("drop_after", {}, (None, "cut", 1)),
        ("hang_after", {"seconds": 12}, (None, "cut", 1)),
        ("garbled", {}, (200, "answered", 1)),
        ("slow", {"seconds": 2}, (None, "answered", 1)),
    ],
)
def test_an_answer_fails_before_or_after_its_effect(
    cloud: Standin,
    provider: str,
    kind: str,
    fields: dict[str, Any],
    seen: tuple[int | None, str, int],
) -> None:
    creates = "*_create" if provider == "digitalocean" else "post-*"
    cloud.world.faults.add(kind, operation=creates, **fields)
    answer = _create(cloud, provider)
    status, how, made = seen
    assert answer.status == status or status is None
    assert ("cut" if answer.cut else "answered") == how
    assert len(cloud.world.running()) == made
    if "seconds" in fields and how == "answered" and kind != "slow":
        assert answer.headers["Retry-After"] == str(fields["seconds"])
    assert _create(cloud, "linode" if provider == "digitalocean" else "digitalocean").status < 300


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("sold_out", {"digitalocean": "Size is not available", "linode": "not available"}),
        ("quota", {"digitalocean": "exceed your droplet limit", "linode": "Account Limit reached"}),
    ],
)
def test_a_create_is_refused_in_the_providers_words(
    cloud: Standin, provider: str, kind: str, words: dict[str, str]
) -> None:
    cloud.world.faults.add(kind)
    answer = _create(cloud, provider)
    assert answer.status in (400, 422)
    assert words[provider] in str(answer.body)
    assert not cloud.world.running()


def test_a_label_may_be_taken_by_nobody_one_can_see(cloud: Standin) -> None:
    cloud.world.faults.add("duplicate_label")
    assert "Label must be unique" in str(_create(cloud, "linode").body)
    assert cloud.names("linode") == []


def test_accepted_then_vanished_costs_nothing(cloud: Standin, provider: str) -> None:
    cloud.world.faults.add("vanish", seconds=20)
    path = _one(cloud, provider)
    cloud.clock.advance(19)
    assert cloud.ask("GET", path).status == 200
    cloud.clock.advance(1)
    assert cloud.ask("GET", path).status == 404
    assert cloud.world.cost_micros() == 0


def test_lists_lag_for_as_long_as_they_are_told(cloud: Standin, provider: str) -> None:
    cloud.world.faults.add("listed_late", seconds=30)
    path = _one(cloud, provider)
    cloud.clock.advance(29)
    assert cloud.names(provider) == []
    assert cloud.ask("GET", path).status == 200
    cloud.clock.advance(1)
    assert cloud.names(provider) == ["one"]


def test_lists_leave_things_out_and_say_nothing(cloud: Standin, provider: str) -> None:
    _create(cloud, provider)
    for kind, shown in (("missed", []), ("stale", []), ("", ["one"])):
        if kind:
            cloud.world.faults.add(kind, seconds=60)
        assert cloud.names(provider) == shown


def test_tags_go_missing(cloud: Standin, provider: str) -> None:
    assert cloud.ask("POST", LIST[provider], BODY[provider] | {"tags": ["bh"]}).status < 300
    cloud.world.faults.add("tags_missing")
    for tags in ([], ["bh"]):
        answer = cloud.ask("GET", LIST[provider]).body
        assert answer.get("droplets", answer.get("data"))[0]["tags"] == tags


def test_a_delete_is_refused_while_something_else_happens(cloud: Standin, provider: str) -> None:
    path = _one(cloud, provider)
    cloud.world.faults.add("locked", times=2)
    statuses = [cloud.ask("DELETE", path).status for _ in range(3)]
    assert statuses[:2] == ([422] * 2 if provider == "digitalocean" else [400] * 2)
    assert statuses[2] < 300


def test_a_zombie_comes_back_and_was_paid_for_all_along(cloud: Standin, provider: str) -> None:
    path = _one(cloud, provider)
    cloud.world.faults.add("zombie", seconds=3_600)
    cloud.ask("DELETE", path)
    assert cloud.ask("GET", path).status == 404
    assert cloud.names(provider) == []
    assert len(cloud.world.running()) == 1
    cloud.clock.advance(3_600)
    assert cloud.names(provider) == ["one"]
    assert cloud.world.cost_micros() >= 17_000


def test_a_delete_may_do_nothing_or_take_its_time(cloud: Standin, provider: str) -> None:
    path = _one(cloud, provider)
    cloud.world.faults.add("delete_ignored")
    cloud.ask("DELETE", path)
    cloud.clock.advance(3_600)
    assert cloud.ask("GET", path).status == 200
    cloud.world.faults.add("delete_late", seconds=90)
    cloud.ask("DELETE", path)
    cloud.clock.advance(89)
    assert cloud.ask("GET", path).status == 200
    cloud.clock.advance(1)
    assert cloud.ask("GET", path).status == 404


def test_a_token_is_revoked_in_the_middle(cloud: Standin, provider: str) -> None:
    _create(cloud, provider)
    secret = cloud.secrets[provider]
    fields = f'{{"provider": "{provider}", "secret": "{secret}", "revoked": true}}'
    control.answer(cloud.world, control.Asked("POST", "tokens", fields.encode()))
    assert cloud.ask("GET", LIST[provider]).status == 401
    assert len(cloud.world.running()) == 1


class Recorder:
    """Bodies that only write down what was done to them."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def boot(self, _server: object) -> None:
        self.done.append("boot")

    def halt(self, _server: object) -> None:
        self.done.append("halt")

    def destroy(self, _server: object) -> None:
        self.done.append("destroy")

    def cut(self, _server: object) -> None:
        self.done.append("cut")

    def snapshot(self, _server: object, _image: str) -> None:
        self.done.append("snapshot")


@pytest.mark.parametrize(
    ("kind", "early", "late"),
    [
        ("", ["boot"], ["boot"]),
        ("active_late", [], ["boot"]),
        ("boots_never", [], []),
        ("dies", ["boot"], ["boot", "halt"]),
        ("loses_network", ["boot"], ["boot", "cut"]),
    ],
)
def test_a_body_boots_late_or_never_dies_or_loses_its_network(
    provider: str, kind: str, early: list[str], late: list[str]
) -> None:
    bodies = Recorder()
    cloud = Standin(Lags.none(), 1, bodies)
    if kind:
        cloud.world.faults.add(kind, seconds=60)
    path = _one(cloud, provider)
    for seconds, done in ((0, early), (61, late)):
        cloud.clock.advance(seconds)
        cloud.world.settle()
        assert bodies.done == done
    assert cloud.ask("DELETE", path).status < 300
    cloud.world.settle()
    assert bodies.done == [*late, "destroy"]


def test_chance_strikes_as_often_as_it_says_and_the_same_for_a_seed() -> None:
    def struck(seed: int) -> list[int]:
        cloud = Standin(seed=seed)
        cloud.world.faults.add("status", times=None, chance=0.3)
        return [cloud.ask("GET", "/v2/account").status for _ in range(200)]

    assert struck(5) == struck(5)
    assert struck(5) != struck(6)
    assert 40 <= struck(5).count(500) <= 80


def test_a_fault_may_be_about_one_name_or_one_operation(cloud: Standin) -> None:
    cloud.world.faults.add("status", name="^two$", operation="droplets_create")
    cloud.droplet()
    assert cloud.ask("POST", "/v2/droplets", DROPLET | {"name": "two"}).status == 500


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "gremlins"}, "kind: one of"),
        ({"kind": "drop", "provider": "aws"}, "provider: one of"),
        ({"kind": "drop", "often": True}, "often: not a field"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(fault: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        faults.read(fault)


def test_strangers_are_there_and_cost_us_nothing(cloud: Standin, provider: str) -> None:
    cloud.world.add_stranger(provider, "theirs", ["production"])
    assert cloud.names(provider) == ["theirs"]
    assert cloud.world.cost_micros() == 0
    told = control.ledger(cloud.world)["accounts"][provider]
    assert (told["running"], told["strangers"], told["mails"]) == (0, 1, 0)
