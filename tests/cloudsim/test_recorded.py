"""The stand-in's answers have every field, of the same kind, that recorded real answers have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.exchange import Answer
from standin import BOOTED, INSTANCE, Standin

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "linode_recorded.json").read_text(encoding="utf-8")
)
# What belongs to products the stand-in has none of.
LEFT_OUT = {
    "is_shared", "image_sharing", "monitors", "parent_entity", "details", "configs",
}  # fmt: skip
INSTANCES = "/v4/linode/instances"
RULES = {"inbound": [], "inbound_policy": "DROP", "outbound": [], "outbound_policy": "DROP"}


class Scene:
    """A stand-in in which what was recorded can be asked again."""

    def __init__(self) -> None:
        self.cloud = Standin(Lags(listed=(0, 0), active=(0, 0), boots=(0, 0), action=(9, 9)))
        self.wall = self.cloud.ask("POST", "/v4/networking/firewalls", WALL).body["id"]
        fields = BOOTED | {"tags": ["go-tag-test"], "firewall_id": self.wall}
        self.one = self.cloud.instance(**fields)["id"]
        self.two = self.cloud.instance(label="two", **BOOTED)["id"]
        self.zone = self.cloud.ask("POST", "/v4/domains", ZONE).body["id"]
        disks = self.cloud.ask("GET", f"{INSTANCES}/{self.one}/disks").body["data"]
        self.disk = disks[0]["id"]

    def ask(self, key: str) -> Answer:
        """What was recorded under this name, asked here."""
        method, path, body, headers = self._asked()[key]
        return self.cloud.ask(method, path, body, **headers)

    def _asked(self) -> dict[str, tuple[str, str, Any, dict[str, str]]]:
        one, walls = f"{INSTANCES}/{self.one}", "/v4/networking/firewalls"
        new = {"metadata": {"user_data": "cmVhbGx5Y29vbG1ldGFkYXRh"}, "firewall_id": self.wall}
        given: dict[str, tuple[str, Any]] = {
            "POST /linode/instances +user_data +firewall": (
                INSTANCES,
                INSTANCE | {"label": "three", "booted": False} | new,
            ),
            "GET /linode/instances": (INSTANCES, None),
            "DELETE /linode/instances/{id}": (one, None),
            "GET /linode/instances/{id}/disks": (f"{one}/disks", None),
            "POST /linode/instances/{id}/rebuild": (f"{one}/rebuild", BOOTED),
            "POST /linode/instances/{id}/boot": (f"{one}/boot", {}),
            "POST /linode/instances/{id}/shutdown": (f"{one}/shutdown", {}),
            "POST /networking/firewalls": (walls, WALL | {"label": "other"}),
            "GET /networking/firewalls/{id}/rules": (f"{walls}/{self.wall}/rules", None),
            "POST /networking/firewalls/{id}/devices": (
                f"{walls}/{self.wall}/devices",
                {"id": self.two, "type": "linode"},
            ),
            "GET /linode/instances/{id}/firewalls": (f"{one}/firewalls", None),
            "POST /images": ("/v4/images", {"disk_id": self.disk, "label": "baked"}),
            "GET /images/linode%2Fubuntu22.04": ("/v4/images/linode%2Fubuntu24.04", None),
            "POST /domains": ("/v4/domains", ZONE | {"domain": "example.net"}),
            "POST /domains/{id}/records": (
                f"/v4/domains/{self.zone}/records",
                {"type": "A", "name": "a", "target": "127.0.0.1"},
            ),
            "GET /linode/types/g6-standard-1": ("/v4/linode/types/g6-standard-1", None),
            "GET /account": ("/v4/account", None),
            "GET /account/events": ("/v4/account/events", None),
            "POST /tags": ("/v4/tags", {"label": "go-tag-test-foo", "linodes": [self.one]}),
            "GET /tags": ("/v4/tags", None),
            "GET /tags/go-tag-test": ("/v4/tags/go-tag-test", None),
            "GET /regions": ("/v4/regions", None),
            "GET /account/availability": ("/v4/account/availability", None),
        }
        return {key: (key.split(" ")[0], *rest, {}) for key, rest in given.items()}


WALL = {"label": "fw-test", "rules": RULES}
ZONE = {"domain": "example.org", "type": "master", "soa_email": "a@example.org"}
SUCCESSES = [key for key in RECORDED if not key.startswith("ERROR")]


def _differences(real: Any, ours: Any, where: str) -> Iterator[str]:
    """Where ours lacks something of the real one or has another kind of it; null is any kind."""
    if real is None or ours is None:
        return
    number = (int, float)
    if isinstance(real, number) and not isinstance(real, bool):
        if not isinstance(ours, number):
            yield f"{where}: {ours!r} for a number"
    elif type(real) is not type(ours):
        yield f"{where}: {ours!r} for {real!r}"
    elif isinstance(real, dict):
        for name in sorted(set(real) - set(ours) - LEFT_OUT):
            yield f"{where}.{name} is missing"
        for name in set(real) & set(ours):
            yield from _differences(real[name], ours[name], f"{where}.{name}")
    elif isinstance(real, list) and real and ours:
        yield from _differences(real[0], ours[0], f"{where}[0]")


@pytest.mark.parametrize("key", SUCCESSES)
def test_an_answer_has_the_fields_of_the_recorded_one(key: str) -> None:
    real = RECORDED[key]["response"]
    scene = Scene()
    if key.endswith("/boot"):
        scene.cloud.ask("POST", f"{INSTANCES}/{scene.one}/shutdown")
        scene.cloud.clock.advance(10)
    answer = scene.ask(key)
    assert answer.status == int(real["status"].split()[0]), answer.body
    assert [*_differences(real["body"], answer.body, "$")] == []
    assert "X-RateLimit-Limit" in answer.headers


def test_a_firewall_and_its_rules_have_the_fields_of_the_recorded_ones() -> None:
    real = RECORDED["POST /networking/firewalls"]
    body = real["request"]["body"]
    made = Standin().ask("POST", "/v4/networking/firewalls", body).body
    assert [*_differences(real["response"]["body"], made, "$")] == []
    rules = real["response"]["body"]["rules"]
    assert made["rules"]["inbound"] == rules["inbound"]


def test_refusals_are_word_for_word() -> None:
    cloud = Standin()
    one = cloud.instance(**BOOTED)["id"]
    cloud.world.faults.add("locked")
    cloud.world.faults.add("rate", operation="get-profile")
    bare = INSTANCE | {"label": "two", "image": "linode/debian12"}
    asked = {
        "Cannot filter on foo": cloud.ask("GET", "/v4/images", x_filter='{"foo":"bar"}'),
        "Not found": cloud.ask("GET", "/v4/linode/types/missing-type"),
        "Invalid Token": cloud.ask("GET", "/v4/account", secret="wrong"),
        "Too many requests": cloud.ask("GET", "/v4/profile"),
        "Must provide valid root_pass": cloud.ask("POST", INSTANCES, bare),
        "Linode busy.": cloud.ask("POST", f"{INSTANCES}/{one}/reboot"),
    }
    for words, answer in asked.items():
        (key,) = [key for key in RECORDED if words in key]
        real = RECORDED[key]["response"]
        assert (answer.status, answer.body) == (int(real["status"].split()[0]), real["body"])
