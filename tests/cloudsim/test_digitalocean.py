"""DigitalOcean's habits, one by one."""

from __future__ import annotations

import pytest

from brihaspati_cloudsim import servers
from brihaspati_cloudsim.account import Lags
from standin import DROPLET, Standin


@pytest.fixture
def cloud() -> Standin:
    return Standin()


def test_a_create_is_accepted_with_202_and_becomes_active_later() -> None:
    cloud = Standin(Lags(listed=(2, 2), active=(30, 30)))
    made = cloud.droplet(tags=["bh"])
    assert (made["status"], made["locked"], made["networks"]["v4"]) == ("new", True, [])
    assert cloud.names("digitalocean") == []
    cloud.clock.advance(2)
    assert cloud.names("digitalocean") == ["one"]
    cloud.clock.advance(28)
    seen = cloud.ask("GET", f"/v2/droplets/{made['id']}").body["droplet"]
    public = [net["ip_address"] for net in seen["networks"]["v4"] if net["type"] == "public"]
    assert (seen["status"], seen["locked"], len(public)) == ("active", False, 1)


def test_names_are_not_unique_and_a_create_sent_twice_makes_two(cloud: Standin) -> None:
    assert cloud.droplet()["id"] != cloud.droplet()["id"]
    assert len(cloud.ask("GET", "/v2/droplets?name=one").body["droplets"]) == 2


def test_ten_names_share_one_request(cloud: Standin) -> None:
    names = [f"n{number}" for number in range(10)]
    body = {key: value for key, value in DROPLET.items() if key != "name"}
    answer = cloud.ask("POST", "/v2/droplets", body | {"names": names})
    assert [droplet["name"] for droplet in answer.body["droplets"]] == names
    assert len(answer.body["links"]["actions"]) == 10


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "under_score"}, "name"),
        ({"size": "huge"}, "invalid size"),
        ({"image": "plan9"}, "invalid image"),
        ({"region": "moon1"}, "Region is not available"),
        ({"user_data": "x" * 65_537}, "user_data is too long"),
        ({"ssh_keys": [7]}, "invalid key identifiers"),
        ({"ipv6": "yes"}, "ipv6"),
    ],
)
def test_a_create_that_makes_no_sense_is_refused_with_422(
    cloud: Standin, wrong: dict[str, object], said: str
) -> None:
    answer = cloud.ask("POST", "/v2/droplets", DROPLET | wrong)
    assert (answer.status, answer.body["id"]) == (422, "unprocessable_entity")
    assert said in answer.body["message"]
    assert not cloud.world.running()


def test_a_password_is_mailed_for_each_droplet_without_a_key(cloud: Standin) -> None:
    cloud.droplet()
    body = {"name": "nobody", "public_key": "ssh-ed25519 AAAA"}
    key = cloud.ask("POST", "/v2/account/keys", body).body["ssh_key"]
    assert cloud.ask("POST", "/v2/account/keys", body).status == 422
    cloud.droplet(ssh_keys=[key["id"]])
    cloud.droplet(ssh_keys=[key["fingerprint"]])
    assert cloud.world.accounts["digitalocean"].mails == 1
    assert cloud.ask("GET", "/v2/account/keys").body["ssh_keys"] == [key]


def test_lists_are_paged_with_links_and_a_total(cloud: Standin) -> None:
    for number in range(45):
        cloud.droplet(name=f"n{number}")
    first = cloud.ask("GET", "/v2/droplets").body
    assert (len(first["droplets"]), first["meta"]["total"]) == (20, 45)
    last = cloud.ask("GET", "/v2/droplets?page=3&per_page=20").body
    assert [droplet["name"] for droplet in last["droplets"]] == [f"n{n}" for n in range(40, 45)]
    assert "next" not in last["links"]["pages"]
    assert "page=2" in first["links"]["pages"]["next"]
    assert cloud.ask("GET", "/v2/droplets?per_page=201").status == 422


def test_droplets_with_a_gpu_are_listed_only_when_asked_for(cloud: Standin) -> None:
    cloud.droplet(name="gpu", size="gpu-4000adax1-20gb")
    assert cloud.names("digitalocean") == []
    assert cloud.ask("GET", "/v2/droplets?type=gpus").body["droplets"][0]["name"] == "gpu"


def test_tags_are_shown_only_to_a_token_that_may_read_tags(cloud: Standin) -> None:
    scopes = frozenset({"droplet:read", "droplet:create"})
    cloud.world.add_token("digitalocean", "narrow", scopes=scopes)
    made = cloud.droplet(tags=["bh"])
    path = f"/v2/droplets/{made['id']}"
    assert cloud.ask("GET", path).body["droplet"]["tags"] == ["bh"]
    assert cloud.ask("GET", path, secret="narrow").body["droplet"]["tags"] == []
    assert cloud.ask("DELETE", path, secret="narrow").body["id"] == "forbidden"


def test_deleted_is_not_gone_until_a_look_says_404() -> None:
    cloud = Standin(Lags(listed=(0, 0), active=(0, 0), deleted=(4, 4)))
    path = f"/v2/droplets/{cloud.droplet()['id']}"
    assert cloud.ask("DELETE", path).status == 204
    assert cloud.ask("GET", path).status == 200
    cloud.clock.advance(4)
    assert cloud.ask("GET", path).body["id"] == "not_found"
    assert cloud.ask("DELETE", path).status == 404
    assert cloud.names("digitalocean") == []


def test_deleting_a_tag_deletes_what_carries_it_and_nothing_else(cloud: Standin) -> None:
    for name, tags in (("a", ["bh"]), ("b", ["bh", "x"]), ("c", ["x"])):
        cloud.droplet(name=name, tags=tags)
    assert cloud.ask("DELETE", "/v2/droplets?tag_name=bh").status == 204
    assert cloud.names("digitalocean") == ["c"]


def test_a_token_may_ask_250_times_a_minute_and_5000_times_an_hour(cloud: Standin) -> None:
    answers = [cloud.ask("GET", "/v2/account") for _ in range(251)]
    assert [answer.status for answer in answers] == [200] * 250 + [429]
    assert answers[0].headers["ratelimit-remaining"] == "4999"
    refused = answers[-1]
    assert refused.body["id"] == "too_many_requests"
    assert refused.headers["ratelimit-remaining"] == "0"
    cloud.clock.advance(int(refused.headers["retry-after"]))
    assert cloud.ask("GET", "/v2/account").status == 200
    for _ in range(19):
        cloud.clock.advance(61)
        for _ in range(250):
            cloud.ask("GET", "/v2/account")
    refused = cloud.ask("GET", "/v2/account")
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) > 600


def test_each_token_has_its_own_count(cloud: Standin) -> None:
    cloud.world.add_token("digitalocean", "sweeper")
    for _ in range(251):
        last = cloud.ask("GET", "/v2/account")
    assert last.status == 429
    assert cloud.ask("GET", "/v2/account", secret="sweeper").status == 200


def test_seconds_are_billed_but_at_least_sixty_and_a_cent(cloud: Standin) -> None:
    made = cloud.droplet(size="s-4vcpu-8gb")
    server = cloud.world.accounts["digitalocean"].servers[made["id"]]
    assert servers.cost_micros(server, cloud.clock()) == servers.CENT_MICROS
    cloud.clock.advance(3_600)
    assert servers.cost_micros(server, cloud.clock()) == 71_430
    cloud.ask("POST", f"/v2/droplets/{made['id']}/actions", {"type": "power_off"})
    cloud.clock.advance(3_600)
    assert servers.cost_micros(server, cloud.clock()) == 142_860
    cloud.ask("DELETE", f"/v2/droplets/{made['id']}")
    cloud.clock.advance(0)
    cloud.world.settle()
    cloud.clock.advance(3_600)
    assert servers.cost_micros(server, cloud.clock()) == 142_860
    usage = cloud.ask("GET", "/v2/customers/my/balance").body["month_to_date_usage"]
    assert usage == "0.14"


def test_a_firewall_holds_by_tag_from_birth_and_wants_the_tag_to_exist(cloud: Standin) -> None:
    everyone = {"addresses": ["0.0.0.0/0", "::/0"]}
    rule = {"protocol": "tcp", "ports": "443", "sources": everyone}
    wall = {"name": "bh-lab", "inbound_rules": [rule], "tags": ["bh"]}
    assert cloud.ask("POST", "/v2/firewalls", wall).status == 422
    assert cloud.ask("POST", "/v2/tags", {"name": "bh"}).status == 201
    made = cloud.ask("POST", "/v2/firewalls", wall).body["firewall"]
    assert made["outbound_rules"] == []
    droplet = cloud.droplet(tags=["bh"])
    found = cloud.ask("GET", f"/v2/droplets/{droplet['id']}/firewalls").body["firewalls"]
    assert [wall["id"] for wall in found] == [made["id"]]
    assert cloud.ask("DELETE", f"/v2/firewalls/{made['id']}").status == 204


def test_a_snapshot_outlives_its_droplet_and_starts_others() -> None:
    cloud = Standin(Lags(listed=(0, 0), active=(0, 0), action=(0, 0), snapshot=(60, 60)))
    made = cloud.droplet()
    path = f"/v2/droplets/{made['id']}"
    act = cloud.ask("POST", f"{path}/actions", {"type": "snapshot", "name": "baked"}).body["action"]
    assert act["status"] == "in-progress"
    assert cloud.ask("POST", f"{path}/actions", {"type": "shutdown"}).status == 422
    cloud.clock.advance(60)
    assert cloud.ask("GET", f"/v2/actions/{act['id']}").body["action"]["status"] == "completed"
    cloud.ask("DELETE", path)
    (image,) = cloud.ask("GET", "/v2/images?private=true").body["images"]
    assert (image["name"], image["status"], image["regions"]) == ("baked", "available", ["fra1"])
    other = DROPLET | {"image": image["id"], "region": "ams3"}
    assert cloud.ask("POST", "/v2/droplets", other).status == 422
    move = {"type": "transfer", "region": "ams3"}
    assert cloud.ask("POST", f"/v2/images/{image['id']}/actions", move).status == 201
    cloud.clock.advance(60)
    assert cloud.ask("POST", "/v2/droplets", other).status == 202
    assert cloud.ask("GET", "/v2/snapshots").body["meta"]["total"] == 1
    assert cloud.ask("DELETE", f"/v2/images/{image['id']}").status == 204


def test_records_of_a_zone(cloud: Standin) -> None:
    cloud.ask("POST", "/v2/domains", {"name": "example.org"})
    zone = "/v2/domains/example.org/records"
    record = {"type": "A", "name": "l-1", "data": "192.0.2.1", "ttl": 30}
    made = cloud.ask("POST", zone, record).body["domain_record"]
    assert cloud.ask("POST", zone, record | {"ttl": 5}).status == 422
    found = cloud.ask("GET", f"{zone}?type=A&name=l-1.example.org").body["domain_records"]
    assert found == [made]
    cloud.ask("DELETE", f"{zone}/{made['id']}")
    assert cloud.ask("GET", zone).body["domain_records"] == []


def test_the_catalogue_shows_what_is_sold_out(cloud: Standin) -> None:
    cloud.world.accounts["digitalocean"].sold_out.add(("fra1", "s-1vcpu-2gb"))
    sizes = cloud.ask("GET", "/v2/sizes?per_page=200").body["sizes"]
    (size,) = [size for size in sizes if size["slug"] == "s-1vcpu-2gb"]
    assert "fra1" not in size["regions"]
    assert cloud.ask("GET", "/v2/regions").body["regions"][0]["available"]
    answer = cloud.ask("POST", "/v2/droplets", DROPLET)
    assert answer.body["message"] == "Size is not available in this region."


def test_the_account_has_a_limit(cloud: Standin) -> None:
    cloud.world.accounts["digitalocean"].server_limit = 1
    assert cloud.ask("GET", "/v2/account").body["account"]["droplet_limit"] == 1
    cloud.droplet()
    answer = cloud.ask("POST", "/v2/droplets", DROPLET)
    assert "will exceed your droplet limit" in answer.body["message"]
