"""Renting from both clouds' stand-in: once, behind a wall, found again, verified gone."""

from __future__ import annotations

import contextlib

import pytest

from brihaspati import ports
from brihaspati.domain import labs
from rented import stand_in
from rented.stand_in import Sky

LABEL = "bh-test-k3f9-a1-main"


@pytest.fixture
def sky() -> Sky:
    return Sky()


@pytest.fixture(params=stand_in.CLOUDS)
def cloud(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def order(label: str = LABEL, **more: object) -> ports.MachineOrder:
    given: dict[str, object] = {"user_data": "#cloud-config\n", **more}
    return ports.MachineOrder(label, "k3f9", labs.MachineSpec("main"), **given)  # type: ignore[arg-type]


def test_a_machine_is_made_found_listed_and_verified_gone(sky: Sky, cloud: str) -> None:
    provider = sky.provider(cloud)
    made = provider.create(order())
    assert made.label == LABEL
    assert not made.usable  # only its agent can say that
    sky.clock.advance(10)
    found = provider.find(LABEL)
    assert found is not None
    assert (found.id, found.created_at) == (made.id, made.created_at)
    assert found.address is not None
    assert [one.id for one in provider.inventory()] == [made.id]
    provider.delete(made.id)
    sky.clock.advance(1)
    assert provider.find(LABEL) is None
    assert provider.inventory() == []
    assert sky.world.running(cloud) == []


def test_a_machine_is_behind_its_wall_from_birth_and_nobody_has_a_key(sky: Sky, cloud: str) -> None:
    sky.provider(cloud).create(order())
    (server,) = sky.world.running(cloud)
    walls = sky.world.accounts[cloud].firewalls
    (wall,) = walls.values()
    assert server.id in wall["servers"] or set(wall["tags"]) & set(server.tags)
    assert sky.world.accounts[cloud].mails == 0
    assert server.user_data == "#cloud-config\n"
    assert f"bh-{stand_in.ENV}" in server.tags


def test_walls_are_made_once_for_all_labs_of_one_policy(sky: Sky, cloud: str) -> None:
    provider = sky.provider(cloud)
    for number in range(3):
        provider.create(order(f"bh-test-k3f{number}-a1-main"))
    provider.create(order("bh-test-open-a1-main", egress="full"))
    sky.provider(cloud).create(order("bh-test-late-a1-main"))
    assert len(sky.world.accounts[cloud].firewalls) == 2


CREATES = {"digitalocean": "droplets_create", "linode": "post-linode-instance"}
# A create is unclear, and what is there afterwards is found by its label; nobody asks twice.
LOST = [("status_after", 1), ("drop_after", 1), ("garbled", 1), ("status", 0), ("drop", 0)]


@pytest.mark.parametrize(("kind", "made"), [*LOST, ("hang_after", 1), ("hang", 0)])
def test_a_lost_answer_is_unclear_and_the_create_is_sent_once(
    sky: Sky, cloud: str, kind: str, made: int
) -> None:
    provider = sky.provider(cloud)
    sky.fault(kind, operation=CREATES[cloud], seconds=60)
    with pytest.raises(ports.Unclear):
        provider.create(order())
    assert len(sky.world.running(cloud)) == made
    sky.clock.advance(10)
    assert (provider.find(LABEL) is not None) == bool(made)
    posts = [one for one in sky.world.asked if one.method == "POST" and "firewalls" not in one.path]
    assert len([one for one in posts if one.path.endswith(("droplets", "instances"))]) == 1


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [("sold_out", "sold_out"), ("quota", "quota"), ("unauthorized", "auth"), ("rate", "rate")],
)
def test_a_refusal_says_of_what_kind_and_nothing_was_made(
    sky: Sky, cloud: str, kind: str, refusal: str
) -> None:
    provider = sky.provider(cloud)
    sky.fault(kind, operation=CREATES[cloud], seconds=7)
    with pytest.raises(ports.CreateRefused) as refused:
        provider.create(order())
    assert refused.value.kind == refusal
    assert sky.world.running(cloud) == []
    if kind == "rate":
        assert refused.value.retry_after_seconds == 7
        with pytest.raises(ports.CreateRefused):  # we keep to it, without asking
            provider.create(order("bh-test-k3f9-a2-main"))
        assert len([one for one in sky.world.asked if one.status == 429]) == 1


def test_a_label_that_is_taken_at_linode_is_looked_up(sky: Sky) -> None:
    provider = sky.provider("linode")
    made = provider.create(order())
    with pytest.raises(ports.Unclear):
        provider.create(order())
    found = provider.find(LABEL)
    assert found is not None
    assert found.id == made.id


def test_two_of_one_name_at_digitalocean_end_together(sky: Sky) -> None:
    provider = sky.provider("digitalocean")
    first = provider.create(order())
    sky.provider("digitalocean").create(order())
    sky.clock.advance(10)
    found = provider.find(LABEL)
    assert found is not None
    assert found.id == first.id
    provider.delete(first.id)
    sky.clock.advance(10)
    assert provider.find(LABEL) is None
    assert sky.world.running() == []


def test_lists_of_many_pages_are_read_whole_or_not_at_all(sky: Sky) -> None:
    provider = sky.provider("digitalocean")
    for number in range(203):
        sky.clock.advance(1)
        provider.create(order(f"bh-test-k{number}-a1-main"))
    sky.clock.advance(61)
    assert len(provider.inventory()) == 203
    sky.clock.advance(61)
    asked = len(sky.world.asked)
    sky.fault("status", operation="droplets_list", status=500)
    with pytest.raises(ports.Unclear):
        provider.inventory()
    assert len(sky.world.asked) == asked + 1


def test_strangers_are_neither_seen_nor_touched(sky: Sky, cloud: str) -> None:
    provider = sky.provider(cloud)
    names = ("web", "bh-test-looks-like-ours", "bh-other-k3f9-a1-main", "bh-test2-k3f9-a1-main")
    strangers = [sky.world.add_stranger(cloud, name, ["bh-test"]) for name in names]
    assert provider.inventory() == []
    for stranger in strangers:
        assert provider.find(stranger.name) is None
        provider.delete(str(stranger.id))
    sky.clock.advance(60)
    assert all(server.gone_at is None for server in strangers)


def test_a_token_that_may_not_read_tags_still_finds_its_machines(sky: Sky) -> None:
    provider = sky.provider("digitalocean")
    made = provider.create(order())
    sky.fault("tags_missing", times=None)
    sky.clock.advance(10)
    assert [one.id for one in provider.inventory()] == [made.id]


@pytest.mark.parametrize(
    "kind", ["locked", "delete_ignored", "delete_late", "status", "drop_after"]
)
def test_a_delete_is_not_believed_before_the_machine_is_gone(
    sky: Sky, cloud: str, kind: str
) -> None:
    provider = sky.provider(cloud)
    made = provider.create(order())
    sky.clock.advance(10)
    operation = "droplets_destroy" if cloud == "digitalocean" else "delete-linode-instance"
    sky.fault(kind, operation=operation, seconds=30)
    for _ in range(20):
        with contextlib.suppress(ports.Unclear):
            provider.delete(made.id)
        gone = provider.find(LABEL) is None and provider.inventory() == []
        assert gone == (sky.world.running(cloud) == [])
        if gone:
            break
        sky.clock.advance(10)
    assert sky.world.running(cloud) == []


def test_what_was_gone_and_is_there_again_is_shown_again(sky: Sky, cloud: str) -> None:
    provider = sky.provider(cloud)
    made = provider.create(order())
    sky.clock.advance(10)
    sky.fault("zombie", seconds=60)
    provider.delete(made.id)
    assert provider.find(LABEL) is None
    assert provider.inventory() == []
    sky.clock.advance(61)
    assert [one.id for one in provider.inventory()] == [made.id]
    provider.delete(made.id)
    sky.clock.advance(10)
    assert sky.world.running(cloud) == []


def test_five_hundred_that_boot_are_looked_at_by_list(sky: Sky) -> None:
    provider = sky.provider("digitalocean")
    labels = [f"bh-test-k{number}-a1-main" for number in range(500)]
    for label in labels:
        sky.clock.advance(0.5)
        provider.create(order(label))
    sky.clock.advance(60)
    before = len(sky.world.asked)
    for _ in range(12):
        for label in labels:
            assert provider.find(label) is not None
        sky.clock.advance(5)
    assert len(sky.world.asked) - before == 12 * 3


def test_the_price_is_that_of_the_smallest_size_with_room(sky: Sky, cloud: str) -> None:
    provider = sky.provider(cloud)
    small = labs.MachineSpec("main")
    large = labs.MachineSpec("main", resources=labs.Resources(memory_mb=3000, cpus=2))
    price = provider.price_micros_per_hour(small)
    assert 0 < price < provider.price_micros_per_hour(large)
    provider.create(order())
    assert sky.world.running(cloud)[0].price_micros_per_hour == price


def test_an_image_that_no_cloud_has_is_refused(sky: Sky, cloud: str) -> None:
    provider = sky.provider(cloud)
    provider.prepare("host", lambda *_: None)
    for image in ("debian:12", "rootfs:/x", f"{cloud}:/no-such-thing"):
        with pytest.raises(ports.CreateRefused) as refused:
            provider.prepare(image, lambda *_: None)
        assert refused.value.kind == "image"


def test_a_revoked_token_in_the_middle_of_a_class_loses_nothing(sky: Sky, cloud: str) -> None:
    provider = sky.provider(cloud)
    made = provider.create(order())
    sky.clock.advance(10)
    token = sky.world.accounts[cloud].tokens[sky.tokens[cloud]]
    token.revoked = True
    for call in (
        lambda: provider.find(LABEL),
        provider.inventory,
        lambda: provider.delete(made.id),
    ):
        with pytest.raises(ports.Unclear):
            call()
    token.revoked = False
    provider.delete(made.id)
    sky.clock.advance(10)
    assert provider.find(LABEL) is None
