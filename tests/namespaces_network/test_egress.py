"""A lab reaches what its egress says, and never the host, another lab or the host's own networks.

Every server that must not be reached is there and answers whoever may ask: see the first test.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from brihaspati import ports
from brihaspati.adapters.namespaces import kernel, netlink, network
from namespaces_network import world as worlds
from namespaces_network.world import (
    FAR,
    METADATA,
    NEIGHBOUR,
    OTHER_SERVER,
    SERVER,
    UPLINK,
    Machine,
    Servers,
    World,
    order,
    own_world,
)


def networks(**more: Any) -> network.Networks:
    fields = {"deployment": "test", "servers": lambda: [NEIGHBOUR], **more}
    return network.Networks(**fields)


def a_lab(world: World, nets: network.Networks, sandbox: str = "s1", **more: Any) -> Machine:
    """An attached machine."""
    made = world.machine()
    asked = order(sandbox=sandbox, **more)
    nets.attach(asked.label, made.netns, asked)
    return made


@own_world
def test_the_host_of_this_world_reaches_all_its_servers(world: World) -> None:
    assert [world.host.asks(address) for address in (*FAR, UPLINK)] == [
        *[f"hello {UPLINK}"] * 5,
    ]


@own_world
def test_without_egress_a_lab_has_no_way_out_at_all(world: World) -> None:
    lab = a_lab(world, networks(), egress="none")
    assert lab.links() == ["lo"]
    assert [lab.tries(address) for address in (*FAR, UPLINK)] == [None] * 5
    assert world.traces() == []


@own_world
def test_full_egress_reaches_the_internet_as_the_host(world: World) -> None:
    lab = a_lab(world, networks(), egress="full")
    assert lab.asks(SERVER) == f"hello {UPLINK}"
    assert lab.asks(OTHER_SERVER, 443) == f"hello {UPLINK}"
    lab.send_udp(SERVER, "datagram")
    world.far.until("datagram")


@own_world
def test_full_egress_reaches_neither_the_host_nor_its_neighbours_nor_its_metadata(
    world: World,
) -> None:
    lab = a_lab(world, networks(), egress="full")
    assert lab.tries(UPLINK) is None
    assert lab.tries("10.201.0.1") is None, "the gateway the lab believes in"
    assert lab.tries(NEIGHBOUR) is None
    assert lab.tries(METADATA) is None
    assert lab.asks(SERVER) is not None, "but the way out is there"


@own_world
def test_full_egress_may_ask_the_hosts_name_server_and_only_that(world: World) -> None:
    lab = a_lab(world, networks(), egress="full")
    assert lab.asks(NEIGHBOUR, 53) == f"hello {UPLINK}"
    assert lab.tries(NEIGHBOUR, 80) is None


@own_world
def test_an_allow_list_lets_only_the_listed_address_and_port_through(world: World) -> None:
    lab = a_lab(world, networks(), egress="allow", egress_allow=(f"{SERVER}:443",))
    assert lab.asks(SERVER, 443) == f"hello {UPLINK}"
    assert lab.tries(SERVER, 80) is None
    assert lab.tries(OTHER_SERVER, 443) is None
    assert lab.tries(NEIGHBOUR, 53) is None
    lab.send_udp(SERVER, "leak")
    world.host.send_udp(SERVER, "end")
    assert world.far.until("end") == ["end"]


@own_world
def test_an_allow_list_takes_networks_and_a_neighbour_that_is_named(world: World) -> None:
    allow = ("192.0.2.0/28:80", f"{NEIGHBOUR}:443")
    lab = a_lab(world, networks(), egress="allow", egress_allow=allow)
    assert [lab.asks(SERVER), lab.tries(OTHER_SERVER)] == [f"hello {UPLINK}", None]
    assert [lab.asks(NEIGHBOUR, 443), lab.tries(NEIGHBOUR, 80)] == [f"hello {UPLINK}", None]


@own_world
def test_everything_on_an_allow_list_is_still_not_the_host_or_its_neighbours(world: World) -> None:
    allow = ("0.0.0.0/0:80", "0.0.0.0/0:443")
    lab = a_lab(world, networks(), egress="allow", egress_allow=allow)
    assert [lab.asks(SERVER), lab.asks(OTHER_SERVER, 443)] == [f"hello {UPLINK}"] * 2
    assert [lab.tries(a) for a in (UPLINK, NEIGHBOUR, METADATA)] == [None] * 3
    assert lab.tries(SERVER, 53) is None


@own_world
def test_the_host_is_out_of_reach_even_where_it_is_listed(world: World) -> None:
    lab = a_lab(world, networks(), egress="allow", egress_allow=(f"{UPLINK}:80",))
    assert lab.tries(UPLINK) is None


@own_world
def test_labs_do_not_reach_each_other(world: World) -> None:
    nets = networks()
    one = a_lab(world, nets, "s1", egress="full")
    two = a_lab(world, nets, "s2", egress="allow", egress_allow=("10.0.0.0/8:80",))
    servers = [Servers(one), Servers(two)]
    assert one.asks(one.address()) is not None
    assert one.tries(two.address()) is None
    assert two.tries(one.address()) is None
    for each in servers:
        each.close()


@own_world
def test_labs_of_two_deployments_do_not_reach_each_other(world: World) -> None:
    one = a_lab(world, networks(), "s1", egress="full")
    other = networks(deployment="other")
    two = a_lab(world, other, "s2", egress="allow", egress_allow=("10.0.0.0/8:80",))
    assert one.address() != two.address()
    server = Servers(one)
    assert two.tries(one.address()) is None
    server.close()


@own_world
def test_the_internet_does_not_reach_a_lab(world: World) -> None:
    lab = a_lab(world, networks(), egress="full")
    server = Servers(lab)
    assert world.internet.tries(lab.address()) is None
    server.close()


@own_world
def test_nobody_reaches_a_lab_on_a_host_that_forwarded_before(world: World) -> None:
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    lab = a_lab(world, networks(), egress="full")
    server = Servers(lab)
    assert lab.asks(SERVER) == f"hello {UPLINK}"
    assert world.internet.tries(lab.address()) is None
    server.close()


@own_world
def test_a_forged_source_address_never_leaves_a_lab(world: World) -> None:
    nets = networks()
    lab = a_lab(world, nets, "s1", egress="full")
    other = a_lab(world, nets, "s2", egress="full")
    for source in (other.address(), UPLINK, "10.201.0.1", "8.8.8.8", "127.0.0.1"):
        assert lab.forge_udp(source, SERVER, f"forged {source}")
    lab.forge_udp(lab.address(), SERVER, "my own address")
    assert world.far.until("my own address") == ["my own address"]


@own_world
def test_packets_for_the_host_are_dropped_whatever_their_source_says(world: World) -> None:
    lab = a_lab(world, networks(), egress="full")
    for source in (lab.address(), UPLINK, "127.0.0.1"):
        for target in (UPLINK, "127.0.0.1", "255.255.255.255", "224.0.0.1"):
            lab.forge_udp(source, target, "to the host")
    world.internet.send_udp(UPLINK, "end")
    assert world.near.until("end") == ["end"]


@own_world
def test_a_port_the_host_passes_on_to_somebody_is_no_way_around(world: World) -> None:
    rule = f"ip daddr {UPLINK} tcp dport 8080 dnat to {SERVER}:80"
    worlds.nft("add", "table", "ip", "other")
    hook = "{ type nat hook prerouting priority -100; }"
    worlds.nft("add", "chain", "ip", "other", "pre", hook)
    worlds.nft("add", "rule", "ip", "other", "pre", rule)
    lab = a_lab(world, networks(), egress="full")
    assert lab.asks(SERVER) == f"hello {UPLINK}"
    assert lab.tries(UPLINK, 8080) is None


@own_world
def test_a_lab_has_no_ipv6_on_its_way_out(world: World) -> None:
    lab = a_lab(world, networks(), egress="full")
    for machine in (lab, world.host):
        rows = machine.read("/proc/thread-self/net/if_inet6").splitlines()
        assert {row.split()[-1] for row in rows} <= {"lo", "uplink"}


@own_world
def test_detach_leaves_nothing(world: World) -> None:
    nets = networks()
    orders = [order(sandbox="s1", egress="full")]
    orders.append(order(sandbox="s2", egress="allow", egress_allow=(f"{SERVER}:80",)))
    for asked in orders:
        nets.attach(asked.label, world.machine().netns, asked)
    assert "ip_forward" in world.traces()
    for asked in orders:
        nets.detach(asked.label)
        nets.detach(asked.label)
    assert world.traces() == []


@own_world
def test_the_end_of_one_lab_leaves_the_others_way_out(world: World) -> None:
    nets = networks()
    first = order(sandbox="s1", egress="full")
    nets.attach(first.label, world.machine().netns, first)
    lab = a_lab(world, nets, "s2", egress="allow", egress_allow=(f"{SERVER}:80",))
    nets.detach(first.label)
    assert lab.asks(SERVER) == f"hello {UPLINK}"
    assert lab.tries(SERVER, 443) is None


@own_world
def test_detach_after_the_lab_is_gone_leaves_nothing(world: World) -> None:
    nets = networks()
    asked = order(egress="full")
    lab = world.machine()
    nets.attach(asked.label, lab.netns, asked)
    lab.close()
    nets.detach(asked.label)
    assert world.traces() == []


@own_world
def test_clean_after_a_crash_leaves_nothing(world: World) -> None:
    for sandbox in ("s1", "s2"):
        a_lab(world, networks(), sandbox, egress="full")
    networks().clean()
    assert world.traces() == []


@own_world
def test_clean_keeps_whom_it_is_told_to_keep(world: World) -> None:
    before = networks()
    kept = a_lab(world, before, "s1", egress="allow", egress_allow=(f"{SERVER}:80",))
    lost = a_lab(world, before, "s2", egress="full")
    after = networks()
    after.clean(keep=[order(sandbox="s1").label])
    assert kept.asks(SERVER) == f"hello {UPLINK}"
    assert lost.tries(SERVER) is None
    new = a_lab(world, after, "s3", egress="full")
    assert [new.asks(SERVER), new.tries(NEIGHBOUR), kept.tries(SERVER, 443)] == [
        f"hello {UPLINK}", None, None,
    ]  # fmt: skip
    after.detach(order(sandbox="s1").label)
    after.detach(order(sandbox="s3").label)
    assert world.traces() == []


@own_world
def test_attach_may_be_repeated(world: World) -> None:
    nets = networks()
    asked = order(egress="full")
    lab = world.machine()
    nets.attach(asked.label, lab.netns, asked)
    nets.attach(asked.label, lab.netns, asked)
    assert lab.asks(SERVER) == f"hello {UPLINK}"
    nets.detach(asked.label)
    assert world.traces() == []


@own_world
def test_a_host_that_forwarded_before_us_does_so_after_us(world: World) -> None:
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    nets = networks()
    a_lab(world, nets, egress="full")
    nets.detach(order().label)
    assert world.traces() == ["ip_forward"]


@own_world
def test_forwarding_stops_with_the_last_of_two_deployments(world: World) -> None:
    one, other = networks(), networks(deployment="other")
    a_lab(world, one, "s1", egress="full")
    lab = a_lab(world, other, "s2", egress="full")
    one.detach(order(sandbox="s1").label)
    assert lab.asks(SERVER) == f"hello {UPLINK}"
    other.detach(order(sandbox="s2").label)
    assert world.traces() == []


@own_world
def test_our_forwarding_makes_the_host_no_router_for_strangers(world: World) -> None:
    behind = world.machine()
    with netlink.Line() as line:
        line.lay_cable(netlink.End("office"), netlink.End("eth0", behind.netns))
        worlds._give(line, "office", "172.30.0.1", "172.30.0.2")

    def there(line: netlink.Line) -> None:
        worlds._give(line, "eth0", "172.30.0.2", "172.30.0.1")
        line.add_route(
            worlds.Network("0.0.0.0/0"), line.index("eth0"), via=worlds.Address("172.30.0.1")
        )

    netlink.inside(behind.netns, there)
    way_back = worlds.Network("172.30.0.0/24")
    netlink.inside(
        world.internet.netns,
        lambda line: line.add_route(way_back, line.index("down"), via=worlds.Address(UPLINK)),
    )
    server = Servers(behind)
    a_lab(world, networks(), egress="full")
    assert world.internet.tries("172.30.0.2") is None
    assert behind.tries(SERVER) is None
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    worlds.nft("flush", "ruleset")
    assert world.internet.asks("172.30.0.2") is not None, "it is our rule that kept it out"
    server.close()


@own_world
def test_a_pool_the_host_uses_itself_is_refused(world: World) -> None:
    with netlink.Line() as line:
        line.add_route(worlds.Network("10.201.7.0/24"), line.index("uplink"))
    with pytest.raises(ports.CreateRefused, match=r"10\.201\.7\.0/24") as refused:
        a_lab(world, networks(), egress="full")
    assert refused.value.kind == "host"
    assert world.machines[-1].links() == ["lo"]


@own_world
def test_an_entry_we_cannot_read_attaches_nothing(world: World) -> None:
    with pytest.raises(ports.CreateRefused, match="nonsense") as refused:
        a_lab(world, networks(), egress="allow", egress_allow=("nonsense",))
    assert refused.value.kind == "invalid"
    assert world.traces() == []


@own_world
def test_it_works_for_a_lab_whose_namespace_belongs_to_another_user(world: World) -> None:
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(go[1])
            kernel.unshare(kernel.NEWUSER | kernel.NEWNET)
            os.write(ready[1], b"1")
            os.read(go[0], 1)
        finally:
            os._exit(0)
    try:
        os.read(ready[0], 1)
        lab = Machine(os.open(f"/proc/{child}/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        world.machines.append(lab)
        nets = networks()
        nets.attach(order().label, lab.netns, order(egress="full"))
        assert lab.asks(SERVER) == f"hello {UPLINK}"
    finally:
        os.close(go[1])
        os.waitpid(child, 0)
        for fd in (go[0], *ready):
            os.close(fd)


@own_world
def test_many_labs_have_addresses_of_their_own(world: World) -> None:
    nets = networks(pool=network.Network("10.201.0.0/28"))
    found = {a_lab(world, nets, f"s{n}", egress="full").address() for n in range(12)}
    assert len(found) == 12
    with pytest.raises(OSError, match="no free address"):
        a_lab(world, nets, "one-too-many", egress="full")
    assert world.machines[-1].links() == ["lo"]
    assert socket.gethostname()
