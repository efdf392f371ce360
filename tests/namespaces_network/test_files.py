"""Allow lists, /etc/hosts and /etc/resolv.conf say what the order says."""

from __future__ import annotations

from pathlib import Path

import pytest

from brihaspati import ports
from brihaspati.adapters.namespaces import firewall, network
from namespaces_network.world import order


def spans(entry: str) -> list[tuple[str, str]]:
    return [(str(first), str(last)) for first, last in firewall.accepted(entry)[0]]


def test_an_entry_is_a_network_and_a_port() -> None:
    assert firewall.accepted("192.0.2.7/28:443")[1] == 443
    assert spans("192.0.2.7/28:443") == [("192.0.2.0", "192.0.2.15")]
    assert spans("198.51.100.9:22") == [("198.51.100.9", "198.51.100.9")]


def test_a_private_network_counts_only_where_it_is_itself_named() -> None:
    assert spans("192.168.7.0/24:80") == [("192.168.7.0", "192.168.7.255")]
    assert spans("192.160.0.0/12:80") == [
        ("192.160.0.0", "192.167.255.255"),
        ("192.169.0.0", "192.175.255.255"),
    ]
    everything = spans("0.0.0.0/0:80")
    assert everything[0] == ("1.0.0.0", "9.255.255.255")
    assert everything[-1] == ("198.20.0.0", "223.255.255.255")
    assert len(everything) == 9


@pytest.mark.parametrize(
    "entry", ["x", "1.2.3.4", "1.2.3.4:0", "1.2.3.4:70000", "1.2.3:80", "1.2.3.4/33:80", "::1:80",
              "169.254.169.254:80", "169.254.0.0/17:80", "1.2.3.4:80; drop", "1.2.3.4:80\n"],
)  # fmt: skip
def test_an_entry_that_makes_no_sense_or_is_the_hosts_link_is_refused(entry: str) -> None:
    with pytest.raises(ports.CreateRefused) as refused:
        firewall.accepted(entry)
    assert refused.value.kind == "invalid"


def test_without_nftables_the_refusal_says_what_to_install(tmp_path: Path) -> None:
    rules = firewall.Firewall("t", "bht", network.POOL, path=str(tmp_path))
    with pytest.raises(ports.CreateRefused, match="install nftables") as refused:
        rules.load([])
    assert refused.value.kind == "host"
    assert not rules.exists()


def test_hosts_has_the_machine_and_its_peers() -> None:
    alone = network.hosts_file(order("web"))
    assert alone == b"127.0.0.1\tlocalhost\n127.0.1.1\tweb\n"
    pair = network.hosts_file(order("web", peers=("web", "db")))
    assert pair == b"127.0.0.1\tlocalhost\n10.200.0.10\tweb\n10.200.0.11\tdb\n"


def test_name_servers_are_given_to_whom_may_ask_them() -> None:
    def found() -> list[str]:
        return ["192.168.1.1", "9.9.9.9"]

    assert network.resolv_conf(order(), found) is None
    full = network.resolv_conf(order(egress="full"), found)
    assert full == b"nameserver 192.168.1.1\nnameserver 9.9.9.9\n"
    listed = order(egress="allow", egress_allow=("9.9.9.9:53", "192.168.1.1:80"))
    assert network.resolv_conf(listed, found) == b"nameserver 9.9.9.9\noptions use-vc\n"
    assert network.resolv_conf(order(egress="allow"), found) is None
    assert network.resolv_conf(order(egress="full"), list) is None


def test_name_servers_of_the_hosts_own_loopback_are_of_no_use_to_a_lab(tmp_path: Path) -> None:
    stub, real = tmp_path / "stub", tmp_path / "real"
    stub.write_text("# comment\nnameserver 127.0.0.53\nnameserver ::1\noptions edns0\n")
    real.write_text("nameserver 192.168.1.1\nnameserver fe80::1\nnameserver 9.9.9.9\n")
    assert network.nameservers([stub, real]) == ["192.168.1.1", "9.9.9.9"]
    assert network.nameservers([stub, tmp_path / "none"]) == []
