"""What a rented machine may reach."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brihaspati.domain import bakery, egress
from brihaspati.domain.labs import EgressPolicy, LabFile, MachineSpec

POLICIES: tuple[EgressPolicy, ...] = ("none", "allow", "full")
NEVER = tuple(f"0.0.0.0/0:{port}" for port in egress.NEVER)


def reached(rules: egress.Rules, protocol: str, port: int) -> bool:
    return any(h.protocol == protocol and h.first <= port <= h.last for h in rules.outbound)


@pytest.mark.parametrize("policy", POLICIES)
def test_mail_and_mining_are_never_reached_whatever_a_lab_lists(policy: EgressPolicy) -> None:
    rules = egress.rules(policy, NEVER)
    for port in (25, 465, 587, 3333, 4444, 14444):
        assert not reached(rules, "tcp", port)
        assert not reached(rules, "udp", port)


@given(st.integers(1, 65535))
def test_full_reaches_every_other_port(port: int) -> None:
    assert reached(egress.rules("full"), "tcp", port) == (port not in egress.NEVER)


def test_closed_ports_side_by_side_and_at_the_ends_leave_no_span_between() -> None:
    assert egress.spans_between((1, 25, 26, 65535), *egress.ALL_PORTS) == ((2, 24), (27, 65534))


def test_only_https_comes_in() -> None:
    assert [(h.protocol, h.ports) for h in egress.rules("full").inbound] == [("tcp", "443")]


def test_browsers_come_to_the_previews_of_an_address_too() -> None:
    rules = egress.rules("full", previews=[8444, 8443])
    assert [(h.protocol, h.ports) for h in rules.inbound] == [
        ("tcp", port) for port in ("443", "8443", "8444")
    ]
    assert rules.name != egress.rules("full").name


def test_a_lab_without_egress_reaches_names_time_and_us() -> None:
    rules = egress.rules("none", home=("192.0.2.7/32",))
    assert {(h.protocol, h.ports) for h in rules.outbound} == {
        ("udp", "53"),
        ("tcp", "53"),
        ("udp", "123"),
        ("tcp", "443"),
    }
    assert rules.outbound[-1].networks == ("192.0.2.7/32",)


def test_what_a_lab_lists_is_reached_and_no_more() -> None:
    hole = egress.rules("allow", ("198.51.100.0/24:8443",)).outbound[-1]
    assert (hole.ports, hole.networks) == ("8443", ("198.51.100.0/24",))


@pytest.mark.parametrize("entry", ["example.org:443", "192.0.2.1", "192.0.2.1:0", "192.0.2.1:x"])
def test_what_is_no_address_and_port_is_refused(entry: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - ipaddress has words of its own
        egress.rules("allow", (entry,))


def test_the_same_rules_have_the_same_name_and_others_another() -> None:
    assert egress.rules("none").name == egress.rules("none").name
    assert len({egress.rules(policy).name for policy in ("none", "full")}) == 2


def lets(rules: egress.Rules, address: str = "203.0.113.7") -> list[str]:
    """What the machine's own wall says, in order, from the first word about who may."""
    lines = [line.strip() for line in egress.host_rules(rules, address).splitlines()]
    return lines[lines.index("chain out {") + 2 : -2]


def test_the_machines_own_wall_first_closes_metadata_mail_and_mining() -> None:
    said = lets(egress.rules("full"))
    assert said[:2] == [
        "ip daddr 169.254.169.254 reject",
        "ip6 daddr fd00:a9fe:a9fe::1 reject",
    ]
    never = said.index("tcp dport { 25, 465, 587, 3333, 4444, 14444 } reject")
    assert never < said.index("tcp dport 1-24 accept")
    assert said[-1] == "reject"


def test_the_machines_own_wall_lets_out_what_the_clouds_does() -> None:
    rules = egress.rules("allow", ("192.0.2.0/24:8080", "2001:db8::/32:22"), ("198.51.100.0/24",))
    said = lets(rules)
    for line in (
        "udp dport 53 accept",
        "ip daddr { 198.51.100.0/24 } tcp dport 443 accept",
        "ip daddr { 192.0.2.0/24 } tcp dport 8080 accept",
        "ip6 daddr { 2001:db8::/32 } tcp dport 22 accept",
    ):
        assert line in said
    assert "tcp dport 443 accept" not in said
    assert "tcp dport 443 accept" in lets(egress.rules("none"))


@pytest.mark.root
@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8::7"])
@pytest.mark.parametrize("policy", ["none", "allow", "full"])
def test_nftables_understands_it(policy: EgressPolicy, address: str) -> None:
    if shutil.which("nft") is None or os.geteuid() != 0:
        pytest.skip("needs nftables and root")
    allowed = ("192.0.2.1/32:443",) if policy == "allow" else ()
    text = egress.host_rules(egress.rules(policy, allowed, ("10.0.0.0/8", "fd00::/8")), address)
    subprocess.run(["nft", "-c", "-f", "-"], input=text.encode(), check=True)


def test_a_builder_does_the_setup_with_the_labs_files_then_powers_off() -> None:
    spec = MachineSpec(
        "main",
        files=(LabFile("/srv/a", b"\x00\xff", 0o600),),
        setup="cp /srv/a /root/a",
        environment=(("WHO", "Ada's"),),
    )
    said = bakery.user_data(spec)
    assert said.startswith("#cloud-config\n")
    config = json.loads(said.split("\n", 1)[1])
    files = {one["path"]: one for one in config["write_files"]}
    packed = files["/var/lib/brihaspati/bake"]
    assert (packed["encoding"], packed["permissions"]) == ("gz+b64", "0700")
    script = gzip.decompress(base64.b64decode(packed["content"])).decode()
    assert script.index("set -e") < script.index("/setup)\n") < script.index("poweroff")
    assert "export WHO='Ada'\"'\"'s'" in script
