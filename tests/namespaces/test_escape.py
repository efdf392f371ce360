"""Every known way out of a lab, tried by its root. See probes.py for each."""

from __future__ import annotations

import ctypes
import os
import platform
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from brihaspati.domain import labs
from brihaspati_agent import places
from namespaces import probes, rigs

pytestmark = pytest.mark.root

_PROBES = Path(probes.__file__).read_bytes()
_AT = "/opt/probes.py"
_FILES = (labs.LabFile(_AT, _PROBES),)
_EXPECTED = {
    "sysctl": {"EROFS", "EACCES", "ENOENT"},
    "call": {"EPERM"},
    "clone": {"EPERM"},
    "clone3": {"ENOSYS"},
    "device": {"ENOENT"},
    "enter": {"EPERM"},
    "socket": {"EAFNOSUPPORT"},
    "netlink": {"EPROTONOSUPPORT"},
    "tty": {"EPERM"},
    "the": {"EROFS"},  # programs of the host
}


@pytest.fixture(scope="module")
def lab(shared: rigs.Rig) -> Iterator[places.Place]:
    """One lab for all probes; whoever breaks it breaks the next test too."""
    yield shared.lab(files=_FILES)
    shared.end()


def _stopped_by(place: places.Place, *argv: str, user: str = "root") -> str:
    ended = place.run(["python3", _AT, *argv], user=user)
    assert ended.code == 0, f"{argv}: {ended.output!r} {ended.error!r}"
    return ended.output.decode().strip()


@pytest.mark.parametrize("name", probes.PROBES)
def test_the_labs_root_does_not_get_out_by(lab: places.Place, name: str) -> None:
    stopped = _stopped_by(lab, name)
    assert stopped in _EXPECTED.get(name.split(maxsplit=1)[0], {stopped})


@pytest.mark.parametrize(
    "name", ["call bpf", "call mount", "tty TIOCSTI", "make a disk", "call userfaultfd"]
)
def test_a_terminal_is_locked_down_as_a_command_is(lab: places.Place, name: str) -> None:
    screen = rigs.Screen(lab.terminal(["python3", _AT, name], 80, 24))
    screen.ends()
    assert b"EPERM" in screen.bytes
    screen.terminal.close()


def test_a_terminal_leaves_no_descriptor_of_ours(lab: places.Place) -> None:
    screen = rigs.Screen(lab.terminal(["sh", "-c", "ls /proc/self/fd | tr '\\n' ,"], 80, 24))
    screen.ends()
    assert screen.bytes == b"0,1,2,3,"  # 3 is the folder that ls reads
    screen.terminal.close()


def test_a_student_has_no_capability_at_all(lab: places.Place) -> None:
    held = rigs.said(
        lab, ["grep", "-E", "Cap(Eff|Prm|Inh|Amb)", "/proc/self/status"], user="student"
    )
    assert set(held.split()[1::2]) == {"0" * 16}


def test_the_lab_reads_nothing_secret_of_the_host(lab: places.Place) -> None:
    for path in ("/etc/shadow", "/etc/passwd", "/etc/hostname"):
        assert lab.read(path, 1 << 20) != Path(path).read_bytes()
    for folder in ("/root/.ssh", "/home", "/var/log", "/etc/ssl/private", "/boot", "/work"):
        there = lab.run(["ls", "-A", folder]).output.split()
        assert there in ([], [b"student"]), folder


def test_the_lab_sees_no_process_of_the_host(lab: places.Place) -> None:
    assert _stopped_by(lab, "visible", "pytest") == "not seen"
    assert _stopped_by(lab, "visible", "keeper") == "not seen"


def test_the_host_loopback_and_its_abstract_sockets_are_out_of_reach(lab: places.Place) -> None:
    name = f"brihaspati-{secrets.token_hex(8)}"
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind("\0" + name)
        unix.listen()
        port = tcp.getsockname()[1]
        assert probes.loopback(port) is None
        assert probes.abstract(name) is None
        assert _stopped_by(lab, "loopback", str(port)) == "ECONNREFUSED"
        assert _stopped_by(lab, "abstract", name) == "ECONNREFUSED"


def test_the_lab_reaches_no_address_at_all(lab: places.Place) -> None:
    assert rigs.said(lab, ["cat", "/proc/net/route"]).count("\n") == 1
    assert [line.split(":")[0].strip() for line in _interfaces(lab)] == ["lo"]


def _interfaces(lab: places.Place) -> list[str]:
    return rigs.said(lab, ["cat", "/proc/net/dev"]).splitlines()[2:]


def test_shared_memory_of_the_host_is_out_of_reach(lab: places.Place) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    key = 0x42520000 + secrets.randbelow(1 << 16)
    made = libc.shmget(key, 4096, 0o1666)
    assert made >= 0
    try:
        assert _stopped_by(lab, "shared memory", str(key)) == "ENOENT"
    finally:
        libc.shmctl(made, 0, None)


def test_a_device_in_an_image_is_of_no_use(tmp_path: Path) -> None:
    with rigs.opened(tmp_path) as opened:
        node = tmp_path / "images/host/opt/null"
        os.mknod(node, 0o020666, os.makedev(1, 3))
        inside = opened.lab()
        assert rigs.said(inside, ["stat", "-c", "%F", "/opt/null"]) == "character special file\n"
        assert inside.run(["cat", "/opt/null"]).error.endswith(b"Permission denied\n")
        node.unlink()


_TWIN = """
import socket, time
tcp = socket.create_server(("127.0.0.1", 4444))
unix = socket.socket(socket.AF_UNIX); unix.bind("\\0twin"); unix.listen()
open("/tmp/twin", "w").close(); open("/dev/shm/twin", "w").close()
print("ready", flush=True)
time.sleep(1000)
"""


def test_labs_do_not_see_each_other(shared: rigs.Rig) -> None:
    one, two = shared.lab("one", files=_FILES), shared.lab("two", files=_FILES)
    screen = rigs.Screen(one.terminal(["python3", "-c", _TWIN], 80, 24))
    screen.shows("ready")
    assert one.run(["python3", _AT, "loopback", "4444"]).code == 1
    assert _stopped_by(two, "loopback", "4444") == "ECONNREFUSED"
    assert _stopped_by(two, "abstract", "twin") == "ECONNREFUSED"
    assert _stopped_by(two, "visible", "twin") == "not seen"
    assert two.run(["ls", "/tmp/twin", "/dev/shm/twin"]).output == b""
    assert rigs.said(two, ["ls", "/dev/pts"]).split() == ["ptmx"]
    maps = [rigs.said(place, ["cat", "/proc/self/uid_map"]).split()[1] for place in (one, two)]
    assert abs(int(maps[0]) - int(maps[1])) >= 65536
    screen.terminal.close()


def test_a_visitor_of_the_lab_cannot_be_looked_into(shared: rigs.Rig) -> None:
    """While we enter, our own memory is in the lab's list of processes for a moment."""
    watched = shared.lab()
    program = (
        "import os, time\nend = time.time() + 1.5\nwhile time.time() < end:\n"
        " for pid in os.listdir('/proc'):\n"
        "  if pid.isdigit() and pid not in ('1', str(os.getpid())):\n"
        "   try: data = os.readlink(f'/proc/{pid}/exe') + open(f'/proc/{pid}/environ').read()\n"
        "   except OSError: continue\n"
        "   if 'PYTHONPATH' in data or 'namespaces' in data: print('seen', data)\n"
    )
    screen = rigs.Screen(watched.terminal(["python3", "-c", program], 80, 24))
    for _ in range(20):
        rigs.said(watched, ["true"])
    screen.ends()
    assert screen.bytes == b""
    screen.terminal.close()


def test_a_visitor_never_shows_the_hosts_connections(shared: rigs.Rig) -> None:
    """What /proc tells of a process' network, from the first moment of a visit on."""
    watched = shared.lab()
    program = (
        "import os, time\nend, new = time.time() + 4, os.getpid() + 1\n"
        "while time.time() < end:\n for pid in range(new, new + 4):\n"
        "  try: data = open(f'/proc/{pid}/net/tcp').read()\n"
        "  except OSError: continue\n"
        "  new = pid + 1\n"
        "  if ':%04X ' in data: print('seen')\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as ours:
        port = ours.getsockname()[1]
        screen = rigs.Screen(watched.terminal(["python3", "-c", program % port], 80, 24))
        for _ in range(200):
            rigs.said(watched, ["true"])
        screen.ends()
    assert screen.bytes == b""
    screen.terminal.close()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are for x86-64")
def test_the_probes_do_find_what_is_open() -> None:
    """On the host, as root, they get through: a probe that cannot fail proves nothing."""
    pid = os.fork()
    if pid == 0:
        loose = ("ids of the host", "capabilities", "clone uts", "hidden files of /proc")
        os._exit(0 if all(probes.PROBES[name]() is None for name in loose) else 1)
    assert os.waitpid(pid, 0)[1] == 0
