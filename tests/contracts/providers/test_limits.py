"""Limits and private networks, where a provider claims them: that they hold, and nothing else."""

from __future__ import annotations

import contextlib
import http.server
import re
import threading
import time
from pathlib import Path

import pytest

from brihaspati.domain import labs
from brihaspati_agent import places
from contracts.providers import rigs

_SMALL = labs.Resources(memory_mb=48, cpus=0.5, pids=40, disk_mb=16)
_PORT = 8081


@pytest.fixture
def small(real: rigs.Rig, orders: rigs.Orders) -> places.Place:
    """A machine with little of everything."""
    if "limits" not in real.can:
        pytest.skip("this provider claims no limits")
    return orders.place(resources=_SMALL)


def test_a_fork_bomb_stops_at_the_limit_and_the_machine_lives_on(small: places.Place) -> None:
    bomb = "( for i in $(seq 200); do sleep 2 & done; wait ) 2>&1"
    outcome = small.run(["sh", "-c", bomb], timeout_seconds=20)
    assert b"fork" in outcome.output.lower()
    until = time.monotonic() + 40
    while not _lets_in(small):
        assert time.monotonic() < until


def _lets_in(place: places.Place) -> bool:
    try:
        return place.run(["echo", "here"]).output == b"here\n"
    except places.PlaceError:
        return False  # still full of the bomb's processes


def test_a_memory_hog_is_ended_and_the_machine_lives_on(small: places.Place) -> None:
    grow = "x=$(head -c 90000000 /dev/zero | tr '\\0' x); echo ${#x}"
    hog = small.run(["sh", "-c", grow], timeout_seconds=60)
    assert hog.output != b"90000000\n"
    assert small.run(["echo", "here"]).output == b"here\n"


def test_a_busy_loop_gets_its_share_of_a_core(real: rigs.Rig, orders: rigs.Orders) -> None:
    if "limits" not in real.can:
        pytest.skip("this provider claims no limits")
    # So small a share that even a busy host would give more, were it not for the limit.
    place = orders.place(resources=labs.Resources(cpus=0.1))
    began = time.monotonic()
    loop = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; times"
    said = place.run(["sh", "-c", loop], timeout_seconds=60).output.decode()
    # `times` prints minutes and seconds of user and system time of the shell itself.
    used = sum(
        int(minutes) * 60 + float(seconds)
        for minutes, seconds in (one[:-1].split("m") for one in said.split()[:2])
    )
    assert used < (time.monotonic() - began) * 0.1 * 1.3 + 0.03


def test_a_file_cannot_grow_beyond_the_disk(small: places.Place) -> None:
    outcome = small.run(["sh", "-c", "head -c 40000000 /dev/zero >/root/big"], timeout_seconds=20)
    assert outcome.code != 0
    assert small.run(["sh", "-c", "wc -c </root/big"]).output.strip() != b"40000000"
    assert small.run(["echo", "here"]).output == b"here\n"


# To load code into the kernel, mount, trace others, make devices, forge packets, set clocks or
# resource limits, configure networks: rights over the host, whatever "root" is called inside.
_RIGHTS = {"net_admin": 12, "net_raw": 13, "sys_module": 16, "sys_rawio": 17, "sys_ptrace": 19}
_RIGHTS |= {"sys_admin": 21, "sys_boot": 22, "sys_resource": 24, "sys_time": 25, "mknod": 27}


@pytest.mark.usefixtures("real")
def test_root_inside_has_no_rights_over_the_host(orders: rigs.Orders) -> None:
    place = orders.place()
    script = "grep -E 'Cap(Eff|Prm|Bnd)|NoNewPrivs' /proc/self/status; cat /proc/1/environ"
    said = place.run(["sh", "-c", script]).output
    status = dict(line.split(b":\t") for line in said.splitlines()[:4])
    for kind in (b"CapEff", b"CapPrm", b"CapBnd"):
        held = int(status[kind], 16)
        assert [name for name, bit in _RIGHTS.items() if held >> bit & 1] == []
    assert status[b"NoNewPrivs"] == b"1"
    assert b"PYTEST" not in said
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"):
        opened = place.run(["sh", "-c", f": >>{path}"])
        assert opened.code != 0


def _pair(real: rigs.Rig, orders: rigs.Orders, sandbox: str) -> dict[str, places.Place]:
    """Two machines of one sandbox, each told of both."""
    if "peers" not in real.can:
        pytest.skip("this provider has labs of one machine only")
    peers = (("attacker", "10.99.0.2"), ("victim", "10.99.0.3"))
    made = [orders(name, sandbox=sandbox, peers=peers) for name, _ in peers]
    return {order.spec.name: real.place(real.provider.create(order).label) for order in made}


def _serve(rig: rigs.Rig, place: places.Place) -> None:
    where = f"0.0.0.0:{_PORT}" if rig.server[0] == "httpd" else f"{_PORT}"
    place.run(["sh", "-c", '"$@" >/dev/null 2>&1 </dev/null &', "sh", *rig.server, where])
    until = time.monotonic() + 40
    while True:
        try:
            place.connect(_PORT).close()
        except places.PlaceError:
            assert time.monotonic() < until
            time.sleep(0.02)
        else:
            return


def _fetch(rig: rigs.Rig, place: places.Place, host: str, seconds: float = 2) -> places.Outcome:
    """What is there; `seconds` is how long nothing is waited for."""
    url = f"http://{host}:{_PORT}/hostname"
    words = ["wget", "-q", "-O", "-", url]
    if rig.server[0] == "python3":
        words = ["curl", "-s", "-m", str(seconds), url]
    return place.run(words, timeout_seconds=seconds)


def test_machines_of_one_sandbox_reach_each_other_by_name(
    real: rigs.Rig, orders: rigs.Orders
) -> None:
    pair = _pair(real, orders, "pair")
    _serve(real, pair["victim"])
    assert _fetch(real, pair["attacker"], "victim", 40).output.strip() == b"victim"
    assert pair["victim"].run(["hostname"]).output.strip() == b"victim"


def test_sandboxes_do_not_reach_each_other(real: rigs.Rig, orders: rigs.Orders) -> None:
    one, two = _pair(real, orders, "one"), _pair(real, orders, "two")
    _serve(real, two["victim"])
    address = _address(two["victim"])
    # Not by name: nobody serves in our own sandbox. Not by the other's address either, which may
    # even be one of our own, as every sandbox has a network to itself.
    assert _fetch(real, one["attacker"], "victim").code != 0
    assert _fetch(real, one["attacker"], address).code != 0
    assert _fetch(real, two["attacker"], address, 40).code == 0


def _address(place: places.Place) -> str:
    for line in place.read("/etc/hosts", 10_000).decode().splitlines():
        address, *names = line.split()
        if "victim" in names and not address.startswith("127."):
            return address
    raise AssertionError("the machine does not know its own address")


def test_the_host_is_not_reached_from_a_private_network(
    real: rigs.Rig, orders: rigs.Orders
) -> None:
    attacker = _pair(real, orders, "inward")["attacker"]
    server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with contextlib.closing(server.socket):
        urls = [f"http://{one}:{server.server_port}/" for one in _addresses_of_the_host()]
        fetch = (
            "curl -s -m 2 -o /dev/null" if real.server[0] == "python3" else "wget -q -O /dev/null"
        )
        each = f'for url; do {fetch} "$url" && echo "reached $url" & done; wait'
        outcome = attacker.run(["sh", "-c", each, "sh", *urls], timeout_seconds=2.5)
        server.shutdown()
    assert outcome.output == b""


def _addresses_of_the_host() -> list[str]:
    table = Path("/proc/net/fib_trie").read_text()
    found = set(re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", table))
    # The gateway that a private network would have, were the host on it.
    return sorted(found | {"10.213.0.1", "10.213.0.33", "10.99.0.1"})


@pytest.mark.usefixtures("real")
def test_a_lab_without_egress_has_no_way_out(orders: rigs.Orders) -> None:
    place = orders.place()
    routes = place.run(["cat", "/proc/net/route"]).output.splitlines()[1:]
    assert routes == []
