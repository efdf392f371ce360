"""Making, finding and ending labs."""

from __future__ import annotations

import concurrent.futures
import os
import signal
from pathlib import Path

import pytest

from brihaspati import ports
from brihaspati.adapters.namespaces import provider
from brihaspati.domain import labs
from brihaspati_agent import places
from namespaces import rigs

pytestmark = pytest.mark.root


def test_a_lab_is_found_by_its_label_and_in_the_inventory(rig: rigs.Rig) -> None:
    label = rig.label()
    found = rig.provider.find(label)
    assert found is not None
    assert (found.id, found.usable) == (label, True)
    assert [seen.label for seen in rig.provider.inventory()] == [label]


def test_the_moment_of_creation_is_the_clocks(folder: Path) -> None:
    with rigs.opened(folder, now=lambda: 42_000) as opened:
        label = opened.label()
        assert [(one.label, one.created_at) for one in opened.provider.inventory()] == [
            (label, 42_000)
        ]


def test_another_environment_sees_nothing_of_ours(rig: rigs.Rig) -> None:
    label = rig.label()
    other = provider.Namespaces(rig.folder, "tes", rigs.HostImages(rig.folder.parent / "images"))
    assert other.inventory() == []
    assert other.find(label) is None
    other.delete(label)
    other.close(end_labs=False)
    assert rig.provider.find(label) is not None


def test_an_ended_lab_is_nowhere(rig: rigs.Rig) -> None:
    label = rig.label()
    inside = rig.provider.place(label)
    rig.provider.delete(label)
    rig.provider.delete(label)
    assert rig.provider.find(label) is None
    with pytest.raises(places.NoSuchMachine):
        rig.provider.place(label)
    with pytest.raises(places.NoSuchMachine):
        inside.run(["true"])


def test_what_our_starter_ignores_is_not_ignored_in_a_lab(folder: Path) -> None:
    ignored = (signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)  # as nohup and `&` leave them
    before = [signal.signal(number, signal.SIG_IGN) for number in ignored]
    try:
        with rigs.opened(folder) as opened:
            inside = opened.lab()
            for status in ("/proc/self/status", "/proc/1/status"):
                said = rigs.said(inside, ["grep", "SigIgn", status])
                mask = int(said.split()[1], 16)
                assert [n for n in ignored if mask & 1 << n - 1] == [], status
    finally:
        for number, handler in zip(ignored, before, strict=True):
            signal.signal(number, handler)


def test_fifty_labs_are_made_at_once_from_eight_threads(rig: rigs.Rig) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        labels = list(threads.map(lambda _: rig.label(), range(50)))
        names = list(
            threads.map(lambda at: rigs.said(rig.provider.place(at), ["hostname"]), labels)
        )
    assert names == ["lab\n"] * 50
    assert sorted(seen.label for seen in rig.provider.inventory()) == sorted(labels)


def test_a_label_is_made_once(rig: rigs.Rig) -> None:
    wanted = rigs.order()
    rig.made.append(wanted.label)
    rig.provider.create(wanted)
    with pytest.raises(ports.Unclear):
        rig.provider.create(wanted)
    assert rig.provider.find(wanted.label) is not None


@pytest.mark.parametrize("label", ["bh-other-s-a1-m", "bh-test-../../x", "bh-test-A", "bh-test-"])
def test_a_label_that_is_not_ours_is_refused(rig: rigs.Rig, label: str) -> None:
    wanted = ports.MachineOrder(label, "s", labs.MachineSpec(name="m"))
    with pytest.raises(ports.CreateRefused) as refused:
        rig.provider.create(wanted)
    assert refused.value.kind == "invalid"


def test_files_are_in_place_owned_by_root_before_setup_runs(rig: rigs.Rig) -> None:
    big = bytes(range(256)) * 4096
    inside = rig.lab(
        files=(
            labs.LabFile("/srv/data/big.bin", big, 0o600),
            labs.LabFile("/usr/local/../../opt/tool", b"#!/bin/sh\necho tool\n", 0o755),
        ),
        setup="exec > /root/out\n/opt/tool\nstat -c '%U %a' /srv/data/big.bin\npwd",
    )
    assert inside.read("/srv/data/big.bin", 2 << 20) == big
    assert inside.read("/root/out", 100) == b"tool\nroot 600\n/root\n"
    assert inside.run(["ls", "/run"]).output == b""


def test_setup_names_its_own_interpreter(rig: rigs.Rig) -> None:
    inside = rig.lab(setup="#!/usr/bin/python3\nopen('/root/py', 'w').write('yes')\n")
    assert inside.read("/root/py", 10) == b"yes"


def test_a_lab_is_not_usable_until_its_setup_is_done(rig: rigs.Rig) -> None:
    wanted = rigs.order(setup="while [ ! -e /tmp/go ]; do sleep 0.02; done")
    rig.made.append(wanted.label)
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        making = thread.submit(rig.provider.create, wanted)
        rigs.until(lambda: rig.provider.find(wanted.label) is not None)
        inside = rig.provider.place(wanted.label)
        rigs.until(lambda: _succeeds(inside, ["test", "-e", "/run/brihaspati-setup"]))
        seen = rig.provider.find(wanted.label)
        assert seen is not None
        assert not seen.usable
        rigs.said(inside, ["touch", "/tmp/go"])
        assert making.result(timeout=60).usable


def test_a_failing_setup_tells_its_last_words_and_leaves_no_lab(rig: rigs.Rig) -> None:
    wanted = rigs.order(setup="echo one\nls /no/such/folder\necho never")
    with pytest.raises(ports.CreateRefused) as refused:
        rig.provider.create(wanted)
    assert refused.value.kind == "setup"
    assert "/no/such/folder" in refused.value.reason
    assert "never" not in refused.value.reason
    assert rig.provider.inventory() == []


def test_a_setup_that_takes_too_long_is_refused(rig: rigs.Rig) -> None:
    with pytest.raises(ports.CreateRefused) as refused:
        rig.provider.create(rigs.order(setup="sleep 60", setup_seconds_max=1))
    assert refused.value.kind == "setup"
    assert "1 s" in refused.value.reason
    assert rig.provider.inventory() == []


def test_a_setup_has_no_more_rights_than_a_student(rig: rigs.Rig) -> None:
    inside = rig.lab(setup="grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status > /root/rights")
    rights = inside.read("/root/rights", 200).split()
    assert rights == [b"CapEff:", b"00000000a00405fb", b"NoNewPrivs:", b"1", b"Seccomp:", b"2"]


def test_peers_are_known_by_name(rig: rigs.Rig) -> None:
    networks = RecordingNetworks()
    with_peers = ports.MachineOrder(
        label=f"bh-{rigs.ENV}-peers-a1-web",
        sandbox="peers",
        spec=labs.MachineSpec(name="web"),
        peers=(("web", "10.0.0.2"), ("attacker", "10.0.0.3")),
    )
    images = rigs.HostImages(rig.folder.parent / "images")
    joined = provider.Namespaces(rig.folder, rigs.ENV, images, networks=networks)
    joined.create(with_peers)
    inside = joined.place(with_peers.label)
    assert "10.0.0.3" in rigs.said(inside, ["getent", "hosts", "attacker"])
    assert "10.0.0.2" in rigs.said(inside, ["getent", "hosts", "web"])
    inode = rigs.said(inside, NET_INODE).strip()
    assert networks.attached == [(with_peers.label, inode)]
    netns = joined.netns(with_peers.label)
    assert netns is not None
    assert str(os.fstat(netns).st_ino) == inode
    os.close(netns)
    assert joined.netns("bh-test-nobody-a1-m") is None
    joined.delete(with_peers.label)
    assert networks.detached == [with_peers.label]
    joined.close(end_labs=False)


def test_a_lab_whose_network_cannot_be_made_is_refused_and_gone(rig: rigs.Rig) -> None:
    wanted = ports.MachineOrder(
        label=f"bh-{rigs.ENV}-nonet-a1-m",
        sandbox="nonet",
        spec=labs.MachineSpec(name="m"),
        egress="full",
    )
    images = rigs.HostImages(rig.folder.parent / "images")
    joined = provider.Namespaces(rig.folder, rigs.ENV, images, networks=RefusingNetworks())
    with pytest.raises(ports.CreateRefused) as refused:
        joined.create(wanted)
    assert refused.value.kind == "host"
    assert joined.inventory() == []
    joined.close(end_labs=False)


def _succeeds(inside: places.Place, argv: list[str]) -> bool:
    try:
        return inside.run(argv).code == 0
    except places.PlaceError:
        return False  # still being built


NET_INODE = ["stat", "-Lc", "%i", "/proc/self/ns/net"]


class RecordingNetworks:
    def __init__(self) -> None:
        self.attached: list[tuple[str, str]] = []
        self.detached: list[str] = []

    def attach(self, label: str, netns_fd: int, order: ports.MachineOrder) -> None:
        assert order.peers
        self.attached.append((label, str(Path(f"/proc/self/fd/{netns_fd}").stat().st_ino)))

    def detach(self, label: str) -> None:
        self.detached.append(label)


class RefusingNetworks:
    def attach(self, label: str, netns_fd: int, order: ports.MachineOrder) -> None:
        raise OSError(1, f"no network for {label} {netns_fd} {order.egress}")

    def detach(self, label: str) -> None:
        """There may be something half made to undo."""
