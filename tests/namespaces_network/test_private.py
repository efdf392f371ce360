"""The machines of one sandbox share a network of their own that the host has no end of."""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path

import pytest

from brihaspati import ports
from brihaspati.adapters.namespaces import network
from namespaces_network.world import SERVER, UPLINK, Machine, Servers, World, order, own_world

PAIR = ("attacker", "victim")


def sandbox(
    world: World, nets: network.Networks, name: str = "s1", machines: tuple[str, ...] = PAIR
) -> list[Machine]:
    """All machines of a sandbox, attached in this order."""
    made = []
    for machine in machines:
        asked = order(machine, name, peers=machines)
        made.append(world.machine())
        nets.attach(asked.label, made[-1].netns, asked)
    return made


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@own_world
def test_two_machines_reach_each_other_under_their_own_addresses(world: World) -> None:
    one, two = sandbox(world, network.Networks("test"))
    servers = [Servers(one), Servers(two)]
    assert one.asks("10.200.0.11") == "hello 10.200.0.10"
    assert two.asks("10.200.0.10") == "hello 10.200.0.11"
    assert one.tries("10.200.0.12") is None
    for each in servers:
        each.close()


@own_world
def test_every_two_of_four_machines_reach_each_other(world: World) -> None:
    names = ("a", "b", "c", "d")
    made = sandbox(world, network.Networks("test"), machines=names)
    servers = [Servers(machine) for machine in made]
    for (i, one), (j, _) in itertools.permutations(enumerate(made), 2):
        assert one.asks(f"10.200.0.{10 + j}") == f"hello 10.200.0.{10 + i}"
    for each in servers:
        each.close()


@own_world
def test_the_host_has_no_end_of_it(world: World) -> None:
    sandbox(world, network.Networks("test"))
    assert world.traces() == []
    assert world.host.links() == ["lo", "uplink"]
    assert world.host.tries("10.200.0.10") is None


@own_world
def test_another_sandbox_with_the_same_addresses_is_another_world(world: World) -> None:
    nets = network.Networks("test")
    one, two = sandbox(world, nets, "s1")
    three, four = sandbox(world, nets, "s2")
    servers = [Servers(two), Servers(four)]
    two.send_udp("10.200.0.10", "nobody listens")
    one.send_udp("10.200.0.11", "for two")
    three.send_udp("10.200.0.11", "for four")
    assert servers[0].until("for two") == ["for two"]
    assert servers[1].until("for four") == ["for four"]
    for each in servers:
        each.close()


@own_world
def test_a_machine_without_the_network_reaches_none_of_it(world: World) -> None:
    nets = network.Networks("test")
    _, two = sandbox(world, nets)
    third = world.machine()
    asked = order("main", "s3", egress="full")
    nets.attach(asked.label, third.netns, asked)
    server = Servers(two)
    assert third.tries("10.200.0.11") is None
    assert third.asks(SERVER) == f"hello {UPLINK}"
    server.close()


@own_world
def test_a_machine_with_a_way_out_is_no_way_out_for_its_peer(world: World) -> None:
    nets = network.Networks("test")
    made = [world.machine(), world.machine()]
    for machine, name, egress in zip(made, PAIR, ("full", "none"), strict=True):
        asked = order(name, peers=PAIR, egress=egress)
        nets.attach(asked.label, machine.netns, asked)
    assert made[0].asks(SERVER) == f"hello {UPLINK}"
    assert made[1].tries(SERVER) is None
    made[1].forge_udp("10.200.0.11", SERVER, "through my peer")
    assert made[0].forge_udp("10.200.0.11", SERVER, "for my peer")
    made[0].send_udp(SERVER, "end")
    assert world.far.until("end") == ["end"]


@own_world
def test_machines_attached_at_once_find_each_other(world: World) -> None:
    nets = network.Networks("test")
    names = ("a", "b", "c")
    made = {name: world.machine() for name in names}

    def attach(name: str) -> None:
        asked = order(name, peers=names)
        nets.attach(asked.label, made[name].netns, asked)

    threads = [threading.Thread(target=attach, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(machine.links()) for machine in made.values()] == [3, 3, 3]


@own_world
def test_a_server_started_anew_joins_the_second_machine_to_the_first(world: World) -> None:
    first, second = world.machine(), world.machine()
    asked = order("attacker", peers=PAIR)
    network.Networks("test").attach(asked.label, first.netns, asked)

    def netns_of(label: str) -> int | None:
        return os.dup(first.netns) if label == asked.label else None

    later = order("victim", peers=PAIR)
    network.Networks("test", netns_of=netns_of).attach(later.label, second.netns, later)
    server = Servers(first)
    assert second.asks("10.200.0.10") == "hello 10.200.0.11"
    server.close()


@own_world
def test_attach_may_be_repeated_before_and_after_the_peer_came(world: World) -> None:
    nets = network.Networks("test")
    made = [world.machine(), world.machine()]
    for machine, name in [*zip(made, PAIR, strict=True)] * 2:
        asked = order(name, peers=PAIR)
        nets.attach(asked.label, machine.netns, asked)
        nets.attach(asked.label, machine.netns, asked)
    assert made[0].links() == ["lan1", "lo"]
    server = Servers(made[1])
    assert made[0].asks("10.200.0.11") == "hello 10.200.0.10"
    server.close()


@own_world
def test_no_descriptor_keeps_a_network_alive_once_all_are_joined_or_gone(world: World) -> None:
    nets = network.Networks("test")
    before = open_files()
    made = sandbox(world, nets)
    assert open_files() == before + len(made)
    half = order("attacker", "s2", peers=PAIR)
    nets.attach(half.label, world.machine().netns, half)
    nets.detach(half.label)
    assert open_files() == before + len(made) + 1


@own_world
def test_an_order_that_does_not_name_its_own_machine_is_refused(world: World) -> None:
    asked = order("stranger", peers=PAIR)
    with pytest.raises(ports.CreateRefused, match="not among its own peers"):
        network.Networks("test").attach(asked.label, world.machine().netns, asked)
