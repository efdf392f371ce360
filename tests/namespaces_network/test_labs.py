"""Real labs, made by the provider, have the networks their orders say, over a restart too."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from brihaspati import ports
from brihaspati.adapters.namespaces import images, network, provider
from namespaces_network.world import SERVER, UPLINK, World, order, own_world

PAIR = ("attacker", "victim")
HELLO = "exec 3<>/dev/tcp/{}/{} && head -c 100 <&3"
SERVE = "python3 -m http.server 8000 -d /etc >/dev/null 2>&1 &"
FETCH = "until curl -sf -m 5 http://{}:8000/hostname; do sleep 0.05; done"  # once it serves
SECONDS_MAX = 40  # for what a busy machine does at last


class Site:
    """A provider with networks in a folder; `restart` is what the server does after a crash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shelf = images.Images(folder / "images")
        self.start()

    def start(self) -> None:
        def netns_of(label: str) -> int | None:
            return self.host.netns(label)

        self.networks = network.Networks("test", netns_of=netns_of)
        self.host = provider.Namespaces(
            self.folder, "test", self.shelf, networks=self.networks, orphan_seconds=30
        )
        self.host.start()

    def restart(self) -> None:
        self.host.close(end_labs=False)
        self.start()
        self.networks.clean(keep=[seen.label for seen in self.host.inventory()])

    def sh(self, label: str, script: str) -> str | None:
        """What a script prints in a lab, None when it fails."""
        argv = ["/bin/bash", "-c", script]
        ended = self.host.place(label).run(argv, timeout_seconds=SECONDS_MAX)
        return ended.output.decode() if ended.code == 0 and not ended.timed_out else None


@contextlib.contextmanager
def a_site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="brihaspati-site-") as folder:
        site = Site(Path(folder))
        try:
            yield site
        finally:
            site.host.close(end_labs=True)
            site.networks.clean()


@own_world
def test_two_real_machines_meet_by_name_and_nothing_else_does(world: World) -> None:
    with a_site() as site:
        made = [site.host.create(order(name, peers=PAIR)).label for name in PAIR]
        other = [site.host.create(order(name, "s2", peers=PAIR)).label for name in PAIR]
        site.sh(made[1], SERVE)
        fetch = FETCH.format("victim")
        assert site.sh(made[0], fetch) == "victim\n"
        assert site.sh(other[0], "curl -sf -m 1 http://victim:8000/hostname") is None
        assert site.sh(made[0], f"timeout 1 bash -c '{HELLO.format(SERVER, 80)}'") is None
        for label in made + other:
            site.host.delete(label)
    assert world.traces() == []


@own_world
def test_a_real_lab_reaches_what_it_may_and_keeps_it_over_a_restart(world: World) -> None:
    with a_site() as site:
        listed = order("main", "s1", egress="allow", egress_allow=(f"{SERVER}:443",))
        label = site.host.create(listed).label
        for _ in range(2):
            assert site.sh(label, HELLO.format(SERVER, 443)) == f"hello {UPLINK}"
            assert site.sh(label, f"timeout 1 bash -c '{HELLO.format(SERVER, 80)}'") is None
            assert site.sh(label, f"timeout 1 bash -c '{HELLO.format(UPLINK, 80)}'") is None
            site.restart()
        site.host.delete(label)
        assert world.traces() == []


@own_world
def test_the_second_machine_made_after_a_restart_meets_the_first(world: World) -> None:
    with a_site() as site:
        first = site.host.create(order("attacker", peers=PAIR)).label
        site.restart()
        second = site.host.create(order("victim", peers=PAIR)).label
        site.sh(first, SERVE)
        fetch = FETCH.format("attacker")
        assert site.sh(second, fetch) == "attacker\n"
    assert world.traces() == []


@own_world
def test_a_real_lab_cannot_change_its_network(world: World) -> None:
    with a_site() as site:
        label = site.host.create(order(egress="full")).label
        for attempt in (
            "ip link set eth0 down",
            "ip address add 10.201.9.9/32 dev eth0",
            "ip route add 10.201.0.0/16 dev eth0",
            "echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6",
            "echo 1 > /proc/sys/net/ipv4/ip_forward",
            "python3 -c 'import socket; socket.socket(17, 3, 768)'",
            "python3 -c 'import socket; socket.socket(2, 3, 255)'",
        ):
            assert site.sh(label, attempt) is None, attempt
        assert site.sh(label, HELLO.format(SERVER, 80)) == f"hello {UPLINK}"
    assert world.traces() == []


@own_world
def test_an_order_we_cannot_read_leaves_no_lab(world: World) -> None:
    with a_site() as site:
        with pytest.raises(ports.CreateRefused) as refused:
            site.host.create(order(egress="allow", egress_allow=("169.254.169.254:80",)))
        assert refused.value.kind == "invalid"
        assert site.host.inventory() == []
    assert world.traces() == []
