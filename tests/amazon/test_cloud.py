"""The whole engine over AWS, as `wiring.cloud` puts it together, on an emulator of all of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from amazon.classes import open_class
from brihaspati import settings
from brihaspati.adapters import clocks, dynamodb, elsewhere, memory, ssm
from brihaspati.domain.effects import DUTIES
from brihaspati.wiring import cloud, renting
from emulators import amazon_stand, servers
from emulators.amazon_stand import Made
from house import a_lab

ROLE = "arn:aws:iam::000000000000:role/alarms"


@pytest.fixture
def chosen(
    made: Made, address: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[settings.Settings]:
    """Settings as a function has them, with an empty table behind."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", servers.KEYS[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", servers.KEYS[1])
    services = amazon_stand.services_at(address)
    table = "bh-story"
    services.of("dynamodb")("create_table", **dynamodb.definition(table))
    yield settings.read(
        environment={
            "BRIHASPATI_ENV": "test",
            "BRIHASPATI_TABLE": table,
            "BRIHASPATI_QUEUE_URL": made.place.url,
            "BRIHASPATI_DEAD_QUEUE_URL": made.place.dead_url,
            "BRIHASPATI_ALARM_GROUP": amazon_stand.GROUP,
            "BRIHASPATI_ALARM_QUEUE_ARN": made.arn,
            "BRIHASPATI_ALARM_DEAD_ARN": made.arn,
            "BRIHASPATI_ALARM_ROLE_ARN": ROLE,
            "AWS_REGION": servers.REGION,
            "AWS_ENDPOINT_URL": address,
        }
    )
    services.of("dynamodb")("delete_table", TableName=table)


def _drain(house: cloud.Cloud, made: Made) -> None:
    """Do the queue's work until there is none; its clock is the wall clock's."""
    for _ in range(100):
        made.clock.set(round(time.time() * 1000) + 60_000)  # what is delayed a little is due
        taken = house.queue.take(10, visible_after_seconds=600)
        for one in taken:
            house.engine.handle(one.message)
            house.queue.done(one)
        if not taken:
            return
    raise AssertionError("the work never ends")


def test_a_lab_from_play_to_gone_over_aws(
    chosen: settings.Settings, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    made.clock.set(round(time.time() * 1000))
    provider = memory.Provider(clocks.SystemClock())
    house = cloud.cloud(chosen, duties=DUTIES, providers={"memory": provider})
    engine = house.engine
    lab = a_lab()
    room = open_class(engine, lab, "memory")
    person = engine.classes.join(room, "Asha", None)
    record, new = engine.playing.play(room, lab, engine.member(person.id))
    assert new
    _drain(house, made)
    seen = engine.member(person.id).sandbox(room.id, lab.name)
    assert seen is not None
    assert seen.sandbox.phase == "ready"
    assert len(provider.running()) == 1
    assert made.timer.next_at() is not None  # its end is scheduled
    engine.playing.stop(record.sandbox.slot, "stopped")
    _drain(house, made)
    seen = engine.member(person.id).sandbox(room.id, lab.name)
    assert seen is not None
    assert (seen.sandbox.phase, provider.running()) == ("gone", [])
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["plays"] for line in said if "plays" in line] == [1]
    assert [line["ready_after"] > 0 for line in said if "ready_after" in line] == [True]


def test_what_a_function_was_not_given_it_hears_of_when_it_needs_it() -> None:
    house = cloud.cloud(settings.read(environment={"BRIHASPATI_TABLE": "bh-test"}))
    with pytest.raises(settings.SettingsError, match="BRIHASPATI_QUEUE_URL not set"):
        house.queue.take(1, visible_after_seconds=1)
    with pytest.raises(settings.SettingsError, match=r"BRIHASPATI_ALARM_GROUP and .*ROLE_ARN"):
        house.engine.world.timer.cancel("a")
    with pytest.raises(settings.SettingsError, match="BRIHASPATI_MAIL_FROM not set"):
        house.mail.send("a@example.org", "s", "t")


def test_without_a_table_there_is_no_cloud_mode() -> None:
    with pytest.raises(settings.SettingsError, match="BRIHASPATI_TABLE is not set"):
        cloud.cloud(settings.read(environment={}))


def test_only_who_rents_reads_tokens_and_from_the_parameters(
    chosen: settings.Settings, address: str
) -> None:
    given = {
        "BRIHASPATI_TABLE": chosen.aws.table,
        "BRIHASPATI_PROVIDER": "linode",
        "LINODE_REGIONS": "a b",
        "BRIHASPATI_HOST_PRICE": "0.05",
        "AWS_REGION": servers.REGION,
        "AWS_ENDPOINT_URL": address,
    }
    renter = settings.read(environment={**given, "BRIHASPATI_ENV": "rents"})
    serving = cloud.cloud(renter).engine.world.providers
    assert list(serving) == ["linode", "linode-b"]
    assert all(isinstance(one, elsewhere.Elsewhere) for one in serving.values())
    assert serving["linode"].price_micros_per_hour(a_lab().machines[0]) == 50_000
    with pytest.raises(ssm.MissingSecret, match="/brihaspati/rents/linode-token"):
        cloud.cloud(renter, duties=DUTIES, renting=renting.providers)
    amazon_stand.services_at(address).of("ssm")(
        "put_parameter", Name="/brihaspati/rents/linode-token", Value="t", Type="SecureString"
    )
    found = cloud.cloud(renter, duties=DUTIES, renting=renting.providers).engine.world.providers
    assert list(found) == ["linode", "linode-b"]
    assert not any(isinstance(one, elsewhere.Elsewhere) for one in found.values())
