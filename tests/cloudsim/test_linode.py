"""Linode's habits, one by one."""

from __future__ import annotations

import base64
import json

import pytest

from brihaspati_cloudsim import servers
from brihaspati_cloudsim.account import Lags
from standin import BOOTED, INSTANCE, Standin

INSTANCES = "/v4/linode/instances"


@pytest.fixture
def cloud() -> Standin:
    return Standin()


def _filtered(cloud: Standin, **wanted: object) -> list[str]:
    answer = cloud.ask("GET", INSTANCES, x_filter=json.dumps(wanted))
    return [instance["label"] for instance in answer.body["data"]]


def test_a_label_is_unique_until_its_owner_is_really_gone() -> None:
    cloud = Standin(Lags(listed=(0, 0), active=(0, 0), deleted=(5, 5)))
    made = cloud.instance()
    again = cloud.ask("POST", INSTANCES, INSTANCE)
    assert (again.status, again.body) == (
        400,
        {"errors": [{"reason": "Label must be unique", "field": "label"}]},
    )
    assert cloud.ask("DELETE", f"{INSTANCES}/{made['id']}").body == {}
    assert cloud.ask("GET", f"{INSTANCES}/{made['id']}").body["status"] == "deleting"
    assert cloud.ask("POST", INSTANCES, INSTANCE).status == 400
    cloud.clock.advance(5)
    assert cloud.ask("GET", f"{INSTANCES}/{made['id']}").status == 404
    cloud.instance()


def test_the_address_is_known_at_once_and_the_status_moves_on() -> None:
    cloud = Standin(Lags(listed=(1, 1), active=(30, 30), boots=(10, 10)))
    made = cloud.instance(**BOOTED)
    assert (made["status"], len(made["ipv4"])) == ("provisioning", 1)
    assert cloud.names("linode") == []
    seen = []
    for seconds in (30, 10):
        cloud.clock.advance(seconds)
        seen.append(cloud.ask("GET", f"{INSTANCES}/{made['id']}").body["status"])
    assert seen == ["booting", "running"]
    wanted = {"action": "linode_create", "entity.id": made["id"]}
    (event,) = cloud.ask("GET", "/v4/account/events", x_filter=json.dumps(wanted)).body["data"]
    assert (event["status"], event["duration"]) == ("finished", 30.0)


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"label": "a--b"}, "label", ""),
        ({"label": "ab"}, "label", ""),
        ({"type": "g9"}, "type", "valid plan type"),
        ({"region": "moon"}, "region", "region is not valid"),
        ({"image": "linode/debian12"}, None, "Must provide valid root_pass, authorized_keys"),
        ({"metadata": {"user_data": "not base64!"}}, "metadata.user_data", "base64"),
        ({"firewall_id": 5}, "firewall_id", "not valid"),
        ({"booted": "yes"}, "booted", ""),
    ],
)
def test_a_create_that_makes_no_sense_is_refused_with_400(
    cloud: Standin, wrong: dict[str, object], field: str | None, said: str
) -> None:
    answer = cloud.ask("POST", INSTANCES, INSTANCE | wrong)
    (error,) = answer.body["errors"]
    assert (answer.status, error.get("field")) == (400, field)
    assert said in error["reason"]
    assert not cloud.world.running()


def test_user_data_of_more_than_16_kib_is_refused(cloud: Standin) -> None:
    most = base64.b64encode(b"x" * 16_384).decode()
    cloud.instance(metadata={"user_data": most})
    more = {"metadata": {"user_data": base64.b64encode(b"x" * 16_385).decode()}}
    assert cloud.ask("POST", INSTANCES, INSTANCE | {"label": "two"} | more).status == 400


def test_user_data_needs_an_image_with_cloud_init(cloud: Standin) -> None:
    given = {"metadata": {"user_data": base64.b64encode(b"#!/bin/sh").decode()}}
    answer = cloud.ask("POST", INSTANCES, INSTANCE | BOOTED | given | {"image": "linode/arch"})
    assert answer.body["errors"][0]["field"] == "metadata.user_data"
    made = cloud.instance(**BOOTED, **given)
    assert made["has_user_data"]
    assert cloud.world.accounts["linode"].servers[made["id"]].user_data == "#!/bin/sh"


def test_lists_are_filtered_by_header(cloud: Standin) -> None:
    for label, tags in (("one", ["bh"]), ("two", ["bh", "x"]), ("three", [])):
        cloud.instance(label=label, tags=tags)
    assert _filtered(cloud, tags="bh") == ["one", "two"]
    assert _filtered(cloud, label="three") == ["three"]
    assert _filtered(cloud, label={"+contains": "t"}) == ["two", "three"]
    assert _filtered(cloud, **{"+or": [{"label": "one"}, {"tags": "x"}]}) == ["one", "two"]
    refused = cloud.ask("GET", INSTANCES, x_filter='{"foo": "bar"}')
    assert refused.body == {"errors": [{"reason": "Cannot filter on foo", "field": "X-Filter"}]}


def test_lists_are_paged(cloud: Standin) -> None:
    cloud.world.accounts["linode"].tokens[cloud.secrets["linode"]].rates.create.limit = 100  # type: ignore[union-attr]
    for number in range(60):
        cloud.instance(label=f"n{number}0")
    page = cloud.ask("GET", f"{INSTANCES}?page=3&page_size=25").body
    assert (page["page"], page["pages"], page["results"], len(page["data"])) == (3, 3, 60, 10)
    assert cloud.ask("GET", f"{INSTANCES}?page=4&page_size=25").status == 404
    assert cloud.ask("GET", f"{INSTANCES}?page_size=24").status == 400


def test_twenty_creates_in_fifteen_seconds_for_all_tokens_of_a_user(cloud: Standin) -> None:
    cloud.world.add_token("linode", "other")
    for number in range(20):
        cloud.instance(label=f"n{number}0")
    refused = cloud.ask("POST", INSTANCES, INSTANCE, secret="other")
    assert (refused.status, refused.body) == (429, {"errors": [{"reason": "Too many requests"}]})
    assert refused.headers["X-RateLimit-Limit"] == "20"
    assert cloud.ask("GET", INSTANCES).headers["X-RateLimit-Limit"] == "200"
    cloud.clock.advance(int(refused.headers["Retry-After"]))
    cloud.instance()


def test_started_hours_are_billed(cloud: Standin) -> None:
    made = cloud.instance()
    server = cloud.world.accounts["linode"].servers[made["id"]]
    assert servers.cost_micros(server, cloud.clock()) == 18_000
    cloud.clock.advance(3_601)
    assert servers.cost_micros(server, cloud.clock()) == 36_000
    assert cloud.ask("GET", "/v4/account").body["balance_uninvoiced"] == 0.04
    cloud.clock.advance(3_600 * 1_000)
    assert servers.cost_micros(server, cloud.clock()) == 12_000_000


def test_a_busy_linode_refuses_and_powers_off_in_the_end() -> None:
    cloud = Standin(Lags(listed=(0, 0), active=(0, 0), boots=(0, 0), action=(10, 10)))
    made = cloud.instance(**BOOTED)
    path = f"{INSTANCES}/{made['id']}"
    assert cloud.ask("POST", f"{path}/shutdown").body == {}
    assert cloud.ask("GET", path).body["status"] == "shutting_down"
    busy = cloud.ask("POST", f"{path}/boot")
    assert (busy.status, busy.body["errors"][0]["reason"]) == (400, "Linode busy.")
    cloud.clock.advance(10)
    assert cloud.ask("GET", path).body["status"] == "offline"
    assert cloud.ask("POST", f"{path}/boot").body == {}
    assert len(cloud.world.running("linode")) == 1


def test_a_rebuild_keeps_the_address_and_takes_new_user_data(cloud: Standin) -> None:
    made = cloud.instance(**BOOTED)
    fresh = {"metadata": {"user_data": base64.b64encode(b"#!/bin/true").decode()}}
    cloud.clock.advance(1)
    path = f"{INSTANCES}/{made['id']}/rebuild"
    assert cloud.ask("POST", path, {"image": "linode/debian13"}).status == 400
    again = cloud.ask("POST", path, BOOTED | fresh | {"image": "linode/debian13"}).body
    assert (again["ipv4"], again["image"]) == (made["ipv4"], "linode/debian13")
    server = cloud.world.accounts["linode"].servers[made["id"]]
    assert server.user_data == "#!/bin/true"


def test_a_firewall_is_attached_at_birth_and_is_the_only_one(cloud: Standin) -> None:
    everyone = {"ipv4": ["0.0.0.0/0"], "ipv6": ["::/0"]}
    rule = {"action": "ACCEPT", "protocol": "TCP", "ports": "443", "addresses": everyone}
    rules = {"inbound": [rule], "inbound_policy": "DROP", "outbound": []}
    body = {"label": "bh-lab", "rules": rules | {"outbound_policy": "DROP"}}
    missing = cloud.ask("POST", "/v4/networking/firewalls", body | {"rules": rules})
    assert missing.status == 400
    wall = cloud.ask("POST", "/v4/networking/firewalls", body).body
    made = cloud.instance(firewall_id=wall["id"])
    (found,) = cloud.ask("GET", f"{INSTANCES}/{made['id']}/firewalls").body["data"]
    assert [entity["id"] for entity in found["entities"]] == [made["id"]]
    again = {"id": made["id"], "type": "linode"}
    devices = f"/v4/networking/firewalls/{wall['id']}/devices"
    assert cloud.ask("POST", devices, again).status == 400
    (device,) = cloud.ask("GET", devices).body["data"]
    assert cloud.ask("DELETE", f"{devices}/{device['id']}").body == {}
    assert cloud.ask("POST", devices, again).status == 200


def test_an_image_is_made_of_a_disk_and_starts_others() -> None:
    cloud = Standin(Lags(listed=(0, 0), active=(0, 0), snapshot=(60, 60)))
    made = cloud.instance(**BOOTED)
    disks = cloud.ask("GET", f"{INSTANCES}/{made['id']}/disks").body["data"]
    body = {"disk_id": disks[0]["id"], "label": "baked", "cloud_init": True}
    image = cloud.ask("POST", "/v4/images", body).body
    path = "/v4/images/" + image["id"].replace("/", "%2F")
    assert cloud.ask("GET", path).body["status"] == "creating"
    cloud.clock.advance(60)
    assert cloud.ask("GET", path).body["status"] == "available"
    cloud.instance(label="two", image=image["id"], root_pass="thrown-away-1!")
    assert cloud.ask("DELETE", path).body == {}
    assert cloud.ask("GET", path).status == 404


def test_the_account_has_a_limit(cloud: Standin) -> None:
    cloud.world.accounts["linode"].server_limit = 1
    cloud.instance()
    answer = cloud.ask("POST", INSTANCES, INSTANCE | {"label": "two"})
    assert answer.body["errors"][0]["reason"].startswith("Account Limit reached.")


def test_what_is_sold_out_is_seen_and_refused_at_the_type(cloud: Standin) -> None:
    cloud.world.accounts["linode"].sold_out.add(("de-fra-2", "g6-standard-1"))
    rows = cloud.ask("GET", "/v4/regions/de-fra-2/availability").body
    assert [row["plan"] for row in rows if not row["available"]] == ["g6-standard-1"]
    answer = cloud.ask("POST", INSTANCES, INSTANCE)
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "type")


def test_zones_tags_and_the_catalogue_answer_as_documented(cloud: Standin) -> None:
    zone = {"domain": "example.org", "type": "master"}
    assert cloud.ask("POST", "/v4/domains", zone).status == 400
    made = cloud.ask("POST", "/v4/domains", zone | {"soa_email": "a@example.org"}).body
    records = f"/v4/domains/{made['id']}/records"
    record = cloud.ask("POST", records, {"type": "A", "name": "l", "target": "192.0.2.1"}).body
    cloud.ask("PUT", f"{records}/{record['id']}", {"target": "192.0.2.2"})
    assert cloud.ask("GET", records).body["data"][0]["target"] == "192.0.2.2"
    cloud.instance(tags=["bh"])
    assert cloud.ask("GET", "/v4/tags/bh").body["data"][0]["data"]["label"] == "one"
    for path in ("regions", "regions/availability", "linode/types", "profile", "volumes"):
        assert cloud.ask("GET", f"/v4beta/{path}").status == 200
    assert cloud.ask("GET", "/v4/linode/types/g6-standard-1").body["price"]["hourly"] == 0.018
    assert cloud.ask("GET", "/v4/account/availability").status == 200
