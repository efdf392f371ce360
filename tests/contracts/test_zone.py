"""The contract of `ports.names.Zone`, kept by memory and by both clouds over the stand-in."""

from __future__ import annotations

import pytest

from brihaspati import ports
from brihaspati.adapters.memory.zones import Zone as MemoryZone
from brihaspati.adapters.rented.zones import Zone as RentedZone
from brihaspati.ports.names import Zone
from rented.stand_in import CLOUDS, Sky

NAME = "labs.example.org"
HOST = f"l-abc.{NAME}"


def rented(cloud: str, sky: Sky) -> RentedZone:
    """A zone that the account of this cloud has."""
    sky.zone(cloud, NAME)
    return RentedZone(NAME, sky.provider(cloud).cloud.records(NAME))


@pytest.fixture(params=["memory", *CLOUDS])
def zone(request: pytest.FixtureRequest) -> Zone:
    return MemoryZone(NAME) if request.param == "memory" else rented(request.param, Sky())


def test_a_record_is_there_once_however_often_it_is_added(zone: Zone) -> None:
    for _ in range(2):
        zone.add(HOST, "A", "192.0.2.7")
    assert zone.values(HOST) == [("A", "192.0.2.7")]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_answer_that_was_lost_makes_no_second_record(cloud: str) -> None:
    sky = Sky()
    zone = rented(cloud, sky)
    sky.fault("drop_after", operation="*record*", times=1)
    with pytest.raises(ports.Unclear):
        zone.add(HOST, "A", "192.0.2.7", new=True)
    zone.add(HOST, "A", "192.0.2.7")
    assert zone.values(HOST) == [("A", "192.0.2.7")]


def test_a_host_has_several_records_and_they_go_together(zone: Zone) -> None:
    proof, star = f"_acme-challenge.{HOST}", f"*.{HOST}"
    zone.add(proof, "TXT", "one")
    zone.add(proof, "TXT", "two")
    zone.add(star, "AAAA", "2001:db8::7")
    assert sorted(zone.values(proof)) == [("TXT", "one"), ("TXT", "two")]
    assert zone.values(HOST) == []
    assert {proof, star} <= set(zone.hosts())
    zone.remove(proof)
    zone.remove(proof)
    assert zone.values(proof) == []
    assert zone.values(star) == [("AAAA", "2001:db8::7")]


def test_what_is_not_below_the_zone_is_never_touched(zone: Zone) -> None:
    for host in (NAME, "example.org", f"evil{NAME}"):
        with pytest.raises(ValueError, match="not below"):
            zone.remove(host)
        with pytest.raises(ValueError, match="not below"):
            zone.add(host, "A", "192.0.2.7")


def test_a_zone_that_does_not_answer_says_so() -> None:
    zone = MemoryZone(NAME)
    zone.stumbles = 1
    with pytest.raises(ports.Unclear):
        zone.values(HOST)
    assert zone.values(HOST) == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_zone_the_account_does_not_have_is_unclear_and_its_check_names_it(cloud: str) -> None:
    sky = Sky()
    zone = RentedZone(NAME, sky.provider(cloud).cloud.records(NAME))
    with pytest.raises(ports.Unclear):
        zone.add(HOST, "A", "192.0.2.7")
    sky.zone(cloud, NAME)
    zone.check()
