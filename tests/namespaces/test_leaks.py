"""When labs end, nothing of them is left on the host; when a keeper dies, its labs do."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from bench import procfs

from brihaspati import ports
from brihaspati.adapters.namespaces import provider
from brihaspati.domain import labs
from brihaspati_agent import places
from namespaces import rigs

pytestmark = pytest.mark.root

_CYCLES = 30
_LARGE = labs.Resources(disk_mb=128)
_HUGE = labs.Resources(disk_mb=20_000)


def _keeper_name(folder: Path) -> str:
    where = folder.stat()
    return f"brihaspati/{where.st_dev:x}-{where.st_ino:x}/"


def _processes(folder: Path) -> list[str]:
    """Processes of the labs of this folder, by the control groups they are in."""
    name = _keeper_name(folder)
    return [str(process) for process, groups in procfs.texts("cgroup") if name in groups]


def _cgroups(folder: Path) -> list[str]:
    roots = (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*/"))
    return [str(found) for root in roots for found in (root / _keeper_name(folder)).glob("*/")]


def _files(folder: Path) -> list[str]:
    known = ("keeper.sock", "keeper.lock", "keeper.log", "mnt", "disks")
    return sorted(
        str(found.relative_to(folder)) for found in folder.rglob("*") if found.name not in known
    )


def _loops(folder: Path) -> list[str]:
    found = []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            if str(folder) in backing.read_text():
                found.append(str(backing))
    return found


def _mounts(folder: Path) -> list[str]:
    """In our own mount namespace and in those of all processes we may look into."""
    found = []
    for _, table in procfs.texts("mountinfo"):
        found += [line for line in table.splitlines() if str(folder) in line]
    return found


def _left(folder: Path) -> dict[str, object]:
    return {
        "cgroups": _cgroups(folder),
        "files": _files(folder),
        "loops": _loops(folder),
        "mounts": _mounts(folder),
        "processes": _processes(folder),
    }


NOTHING: dict[str, object] = {
    "cgroups": [],
    "files": [],
    "loops": [],
    "mounts": [],
    "processes": [],
}


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_nothing_is_left_after_many_labs(shared: rigs.Rig) -> None:
    [keeper] = rigs.keepers(shared.folder)
    rigs.said(shared.lab(), ["true"])
    shared.end()
    files = _open_files(keeper)
    ids = set()
    for turn in range(_CYCLES):
        inside = shared.lab(resources=_LARGE if turn % 5 == 0 else labs.Resources())
        terminal = inside.terminal(None, 80, 24)
        rigs.said(inside, ["sh", "-c", "nohup sleep 1000 >/dev/null & echo x > /var/tmp/file"])
        ids.add(rigs.said(inside, ["cat", "/proc/self/uid_map"]))
        if turn % 2:
            terminal.close()
        shared.end()
        terminal.close()
    assert len(ids) < _CYCLES  # a range is free again after its lab
    assert _left(shared.folder) == NOTHING
    rigs.until(lambda: _open_files(keeper) <= files)
    children = Path(f"/proc/{keeper}/task/{keeper}/children").read_text()
    assert children.split() == []


def test_an_attack_on_the_end_of_a_lab_does_not_keep_it(shared: rigs.Rig) -> None:
    inside = shared.lab()
    program = "trap '' HUP TERM INT; while :; do sleep 1000 & wait; done"
    terminals = [inside.terminal(["sh", "-c", program], 80, 24) for _ in range(5)]
    shared.end()
    assert _left(shared.folder) == NOTHING
    for terminal in terminals:
        terminal.close()


def test_a_refused_lab_leaves_nothing(shared: rigs.Rig) -> None:
    with pytest.raises(ports.CreateRefused):
        shared.provider.create(rigs.order(setup="sleep 3000 & exit 1", resources=_LARGE))
    assert _left(shared.folder) == NOTHING


def test_labs_outlive_their_server_and_are_found_again(folder: Path) -> None:
    with rigs.opened(folder) as first:
        label = first.label()
        screen = rigs.Screen(first.provider.place(label).terminal(None, 80, 24))
        rigs.said(first.provider.place(label), ["touch", "/root/mine"])
        first.provider.close(end_labs=False)
        images = rigs.HostImages(folder / "images")
        second = provider.Namespaces(first.folder, rigs.ENV, images)
        second.start()
        assert [seen.label for seen in second.inventory()] == [label]
        assert rigs.said(second.place(label), ["ls", "/root"]) == "mine\n"
        screen.type("echo still $((6*7))\n")
        screen.shows("still 42")
        screen.terminal.close()
        second.close(end_labs=False)


def test_labs_nobody_uses_any_more_end_by_themselves(folder: Path) -> None:
    with rigs.opened(folder, orphan_seconds=0.3) as opened:
        opened.label()
        [keeper] = rigs.keepers(opened.folder)
        opened.provider.close(end_labs=False)
        rigs.until(lambda: not Path(f"/proc/{keeper}").exists())
        assert _left(opened.folder) == NOTHING
        assert not (opened.folder / "keeper.sock").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_lab_outlives_its_keeper(folder: Path, number: int) -> None:
    with rigs.opened(folder) as opened:
        inside = [opened.lab(resources=_LARGE) for _ in range(3)]
        screen = rigs.Screen(inside[0].terminal(None, 80, 24))
        [keeper] = rigs.keepers(opened.folder)
        assert not opened.provider.has_lost_labs()
        os.kill(keeper, number)
        rigs.until(opened.provider.has_lost_labs)
        assert not opened.provider.has_lost_labs()
        rigs.until(lambda: _processes(opened.folder) == [])
        screen.ends()
        screen.terminal.close()
        assert opened.provider.inventory() == []  # a new keeper, which has cleaned up
        assert _left(opened.folder) == NOTHING
        with pytest.raises(places.NoSuchMachine):
            inside[0].run(["true"])
        assert opened.lab().run(["true"]).code == 0


@pytest.mark.parametrize("end", ["delete", "kill the keeper"])
def test_a_lab_ended_while_its_disk_is_made_leaves_no_disk(folder: Path, end: str) -> None:
    with rigs.opened(folder) as opened:
        for _ in range(6):
            _end_amid_its_making(opened, rigs.order(resources=_HUGE), end)
            assert opened.provider.inventory() == []
            assert _left(opened.folder) == NOTHING


def _end_amid_its_making(opened: rigs.Rig, wanted: ports.MachineOrder, end: str) -> None:
    def make() -> None:
        with contextlib.suppress(ports.CreateRefused, ports.Unclear):
            opened.provider.create(wanted)

    making = threading.Thread(target=make)
    making.start()
    rigs.until(lambda: not making.is_alive() or any((opened.folder / "disks").iterdir()))
    if end == "delete":
        opened.provider.delete(wanted.label)
    else:
        os.kill(rigs.keepers(opened.folder)[0], signal.SIGKILL)
    making.join()
    opened.provider.delete(wanted.label)


_VICTIM = """
import sys, threading
sys.path[:0] = [{src!r}, {tests!r}]
from pathlib import Path
from brihaspati.adapters.namespaces import provider
from namespaces import rigs
images = rigs.HostImages(Path({images!r}))
server = provider.Namespaces(Path({data!r}), rigs.ENV, images, orphan_seconds=30)
server.start()
def make(number):
    server.create(rigs.order(setup="sleep 0.2"))
    print("made", flush=True)
for number in range(20):
    threading.Thread(target=make, args=(number,), daemon=True).start()
threading.Event().wait()
"""


def test_a_server_killed_in_the_middle_of_many_creations_leaves_whole_labs_or_none(
    folder: Path,
) -> None:
    with rigs.opened(folder) as opened:
        root = Path(__file__).parents[2]
        program = _VICTIM.format(
            src=str(root / "src"),
            tests=str(root / "tests"),
            images=str(folder / "images"),
            data=str(opened.folder),
        )
        server = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        assert server.stdout is not None
        server.stdout.readline()
        server.kill()
        server.wait()
        server.stdout.close()
        rigs.until(lambda: all(seen.usable for seen in opened.provider.inventory()))
        found = opened.provider.inventory()
        for seen in found:
            assert opened.provider.place(seen.label).run(["true"]).code == 0
            opened.provider.delete(seen.label)
        assert _left(opened.folder) == NOTHING


def test_one_keeper_per_folder_however_many_start_at_once(folder: Path) -> None:
    with rigs.opened(folder) as opened:
        others = [
            provider.Namespaces(opened.folder, rigs.ENV, rigs.HostImages(folder / "images"))
            for _ in range(4)
        ]
        for other in others:
            other.start()
        assert len(rigs.keepers(opened.folder)) == 1
        for other in others:
            other.close(end_labs=False)


def test_two_keepers_never_give_the_same_ids(folder: Path) -> None:
    with rigs.opened(folder / "one") as one, rigs.opened(folder / "two") as two:
        maps = [rigs.said(rig.lab(), ["cat", "/proc/self/uid_map"]).split() for rig in (one, two)]
        assert maps[0] != maps[1]
        assert all(re.fullmatch(r"\d+", words[1]) for words in maps)


def test_the_longest_path_is_no_trouble(folder: Path) -> None:
    with rigs.opened(folder / ("deep" * 30)) as opened:
        assert opened.lab().run(["true"]).code == 0


def test_a_folder_that_cannot_be_made_is_a_refusal_that_says_so(folder: Path) -> None:
    (folder / "file").write_text("")
    made = provider.Namespaces(folder / "file" / "data", rigs.ENV, rigs.HostImages(folder))
    with pytest.raises(ports.CreateRefused, match=r"[Nn]ot a directory|File exists") as refused:
        made.start()
    assert refused.value.kind == "host"


def test_a_request_during_the_end_of_a_keeper_goes_to_the_next(folder: Path) -> None:
    with rigs.opened(folder) as opened:
        for _ in range(5):
            opened.label()
            [keeper] = rigs.keepers(opened.folder)
            os.kill(keeper, signal.SIGTERM)
            rigs.until(lambda: opened.provider.inventory() == [])


def test_a_full_disk_of_the_host_is_a_refusal_that_says_so(folder: Path) -> None:
    (folder / "data").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder / "data"], check=True)
    try:
        with rigs.opened(folder) as opened:
            with pytest.raises(ports.CreateRefused, match="free some space") as refused:
                opened.lab(resources=_LARGE)
            assert refused.value.kind == "host"
            assert opened.lab().run(["true"]).code == 0  # a small disk is in memory
            assert _left(opened.folder)["files"] == []
    finally:
        rigs.until(lambda: subprocess.run(["umount", folder / "data"], check=False).returncode == 0)
