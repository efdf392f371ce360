"""What an operator does with an account: a trial, an emergency, images, a look before a class."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brihaspati import ports
from brihaspati.adapters.rented import duties, shapes
from brihaspati.domain import bakery, labs
from brihaspati.engine import errands
from brihaspati_cloudsim.account import Lags
from house import a_lab
from rented import stand_in
from rented.classroom import Rented
from rented.stand_in import Sky

LABEL = "bh-test-k3f9-a1-builder"
SPEC = labs.MachineSpec("main", setup="apt-get install -y cowsay", bake=True)


@pytest.fixture(params=stand_in.CLOUDS)
def cloud(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_trial_sees_a_machine_come_and_go(cloud: str) -> None:
    sky = Sky(lags=Lags())
    said: list[str] = []
    seen = duties.smoke(sky.provider(cloud), LABEL, said.append, sky.clock.advance)
    assert 0 <= seen.answered <= seen.listed <= seen.active < seen.gone
    assert sky.world.running() == []
    assert len(said) == 5


@pytest.mark.parametrize("kind", ["status_after", "drop_after", "vanish"])
def test_a_trial_that_goes_wrong_leaves_nothing(cloud: str, kind: str) -> None:
    sky = Sky(lags=Lags())
    create = {"digitalocean": "droplets_create", "linode": "post-linode-instance"}[cloud]
    sky.fault(kind, operation=create, seconds=1)
    with pytest.raises(duties.Undone):
        duties.smoke(sky.provider(cloud), LABEL, lambda _: None, sky.clock.advance)
    sky.clock.advance(60)
    assert sky.world.running() == []


def test_everything_of_an_environment_stops_and_nothing_else(cloud: str) -> None:
    sky = Sky(lags=Lags())
    provider, other = sky.provider(cloud), sky.provider(cloud, env="prod")
    for number in range(5):
        provider.create(ports.MachineOrder(f"bh-test-k{number}-a1-main", f"k{number}", SPEC))
    other.create(ports.MachineOrder("bh-prod-k1-a1-main", "k1", SPEC))
    stranger = sky.world.add_stranger(cloud, "web", ["bh-test"])
    sky.fault("locked", times=2)
    sky.fault("delete_ignored", times=1)
    sky.clock.advance(30)
    assert duties.stop_all(provider, lambda _: None, sky.clock.advance) == 5
    assert {server.name for server in sky.world.running()} == {"bh-prod-k1-a1-main", "web"}
    assert stranger.gone_at is None


def bake(sky: Sky, cloud: str, regions: tuple[str, ...]) -> shapes.Image:
    """A builder whose setup ends after two minutes: it powers itself off."""
    provider = sky.provider(cloud)
    recipe = duties.Recipe(LABEL, SPEC, bakery.user_data(SPEC), regions)

    def wait(seconds: float) -> None:
        sky.clock.advance(seconds)
        for server in sky.world.running(cloud):
            if server.name == LABEL and sky.clock.now() - server.created_at > 120_000:
                sky.world.accounts[cloud].power(server, on=False)

    return duties.bake(provider, recipe, lambda _: None, wait)


def test_a_baked_image_is_in_every_region_used_and_leaves_no_builder(cloud: str) -> None:
    sky = Sky(lags=Lags())
    regions = (stand_in.REGIONS[cloud], "nyc3" if cloud == "digitalocean" else "us-east")
    image = bake(sky, cloud, regions)
    assert sky.world.running() == []
    provider = sky.provider(cloud)
    assert provider.is_baked(SPEC)
    provider.create(ports.MachineOrder("bh-test-k1-a1-main", "k1", SPEC))
    (server,) = sky.world.running()
    assert server.image == image.id
    assert set(regions) <= next(iter(provider.cloud.images())).regions
    unsaid = replace(SPEC, bake=False)  # the same setup, of an author who did not say so
    provider.create(ports.MachineOrder("bh-test-k2-a1-main", "k2", unsaid))
    assert sky.world.running()[-1].image != image.id
    builders = [one for one in sky.world.asked if one.method == "POST"]
    bake(sky, cloud, regions)  # what is there is not baked again
    assert [one for one in sky.world.asked if one.method == "POST"] == builders


def test_images_no_lab_asks_for_any_more_are_deleted(cloud: str) -> None:
    sky = Sky(lags=Lags())
    bake(sky, cloud, (stand_in.REGIONS[cloud],))
    provider = sky.provider(cloud)
    assert duties.retire(provider, [SPEC], lambda _: None) == 0
    assert duties.retire(provider, [labs.MachineSpec("main")], lambda _: None) == 1
    assert provider.cloud.images() == []


def test_a_builder_is_no_stray_while_it_is_wanted_and_one_afterwards() -> None:
    rented = Rented()
    provider = rented.rentals["digitalocean"]
    with errands.errand(rented.house.world, "builder", 600) as label:
        provider.create(ports.MachineOrder(label, label.split("-")[2], SPEC))
        rented.pass_time(300)
        assert len(rented.sky.world.running()) == 1
    rented.pass_time(240)
    assert rented.sky.world.running() == []


def test_a_builder_whose_maker_died_is_a_stray_when_its_time_is_over() -> None:
    rented = Rented()
    provider = rented.rentals["linode"]
    cut = errands.errand(rented.house.world, "builder", 300)
    label = cut.__enter__()
    provider.create(ports.MachineOrder(label, label.split("-")[2], SPEC))
    rented.pass_time(200)
    assert len(rented.sky.world.running()) == 1
    rented.pass_time(300)
    assert rented.sky.world.running() == []


def test_a_class_that_is_too_large_for_the_account_gets_a_letter_to_send(cloud: str) -> None:
    sky = Sky()
    sky.world.accounts[cloud].server_limit = 25
    from_cloud = duties.standing(sky.provider(cloud), a_lab())
    assert from_cloud.fault is None
    assert from_cloud.region_fit
    assert from_cloud.size is not None
    assert from_cloud.machines_max == (25 if cloud == "digitalocean" else None)


def test_an_account_that_lets_nobody_in_is_a_finding_not_a_fault(cloud: str) -> None:
    sky = Sky()
    provider = sky.provider(cloud)
    sky.world.accounts[cloud].tokens[sky.tokens[cloud]].revoked = True
    assert duties.standing(provider, a_lab()).fault is not None
