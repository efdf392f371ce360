"""The agent of a rented machine divides: what talks to browsers is not root."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import Any

import pytest

from brihaspati_agent import handed, orders, places

pytestmark = pytest.mark.root

# Divided as on a machine, with another user for the agent; it says what it may and may not do.
DIVIDED = """
import contextlib, json, os, pwd, select, socket, sys
from brihaspati_agent import divided, handed, hands, places
ours, orders = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
child = os.fork()
if child:
    orders.close()
    sys.exit(hands.Hands(ours).serve(child))
ours.close()
divided.give_up_root(pwd.getpwnam("nobody"))
def refused(what):
    try:
        what()
    except OSError as error:
        return type(error).__name__
    except places.PlaceError as error:
        return str(error)
    return "done"
asking = handed.Asking(orders)
said = {"early": refused(lambda: asking.ask("run"))}
place = asking.place({"user": "root", "environment": {"LAB": "mine"}})
terminal = place.terminal(None, 80, 24)
terminal.resize(100, 30)
os.write(terminal.fileno(), b"echo $(id -un)-$LAB-$(stty size)\\n")
seen = b""
while b"root-mine-30 100" not in seen and select.select([terminal.fileno()], [], [], 20)[0]:
    with contextlib.suppress(BlockingIOError):
        seen += os.read(terminal.fileno(), 4096)
works = b"root-mine-30 100" in seen
terminal.close()
terminal.close()
deaf = "trap '' HUP TERM; echo pid $$.; read line; exec sleep 77"
stubborn = place.terminal(["/bin/sh", "-c", deaf], 80, 24)
seen = b""
while b"." not in seen and select.select([stubborn.fileno()], [], [], 20)[0]:
    with contextlib.suppress(BlockingIOError):
        seen += os.read(stubborn.fileno(), 4096)
pid = int(seen.partition(b"pid ")[2].partition(b".")[0])
asking.ask("close", number=os.getpid())
stubborn.close()
place.write("/tmp/%(file)s", b"as root", 0o600)
status = open("/proc/self/status").read()
said |= {
    "uid": os.getuid(),
    "rights": [line for line in status.splitlines() if line.startswith(("CapEff", "NoNew"))],
    "port": refused(socket.create_server(("127.9.8.7", 443)).close),
    "shadow": refused(lambda: open("/etc/shadow")),
    "root again": refused(lambda: os.setuid(0)),
    "terminal": works,
    "check": place.run(["id", "-un"], user="root").output.decode(),
    "as another": place.run(["id", "-un"], user="nobody").output.decode(),
    "set up": place.set_up({"script": "ZXhpdCAz", "seconds_max": 5}).code,
    "nobody": refused(lambda: place.run(["true"], user="no-such")),
    "read": place.read("/tmp/%(file)s", 100).decode(),
    "own": refused(lambda: open("/tmp/%(file)s")),
    "verb": refused(lambda: asking.ask("reboot")),
    "no program": refused(lambda: place.run(["/no-such-program"])),
}
place.run(["rm", "/tmp/%(file)s"])
said["stubborn"] = refused(lambda: os.kill(pid, 0))
for _ in range(200):
    with open(f"/proc/{os.getppid()}/task/{os.getppid()}/children") as file:
        said["left"] = file.read().split() == [str(os.getpid())]
    if said["left"]:
        break
    select.select([], [], [], 0.05)
print(json.dumps(said), flush=True)
sys.exit(7)
"""


def _divided(file: str) -> tuple[int, dict[str, Any]]:
    words = [sys.executable, "-c", DIVIDED % {"file": file}]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_the_agent_has_no_right_but_a_low_port_and_asks_for_the_rest() -> None:
    code, said = _divided("hands-test")
    assert code == 7, "whoever waits for the service hears how the agent ended"
    assert said["uid"] != 0
    assert said["rights"] == ["CapEff:\t0000000000000400", "NoNewPrivs:\t1"]
    assert (said["port"], said["shadow"]) == ("done", "PermissionError")
    assert (said["root again"], said["own"]) == ("PermissionError", "PermissionError")
    assert said["terminal"]
    assert (said["check"], said["as another"], said["read"]) == ("root\n", "nobody\n", "as root")
    assert said["set up"] == 3
    assert said["early"] == "this machine is no lab yet"
    assert "no user no-such" in said["nobody"]
    assert "reboot" in said["verb"]
    assert said["stubborn"] == "ProcessLookupError", "it is killed, and reaped"
    assert said["left"], "nothing is left of orders that were obeyed"
    assert "no-such-program" in said["no program"]


def test_a_number_of_the_other_side_is_never_taken_for_a_file_of_ones_own() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        orders.send(ours, {"number": 1, "descriptor": ours.fileno()})
        ours.shutdown(socket.SHUT_WR)
        raw = b"".join(iter(lambda: theirs.recv(4096), b""))  # as where no file may be opened
    assert json.loads(raw[raw.index(b"{") :]) == {"number": 1}


def test_a_terminal_whose_file_did_not_arrive_is_closed_and_said_so() -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    class Full(handed.Asking):
        def ask(self, do: str, **more: Any) -> dict[str, Any]:
            asked.append((do, more))
            return {"number": 5}

    ours, theirs = socket.socketpair()
    with ours, theirs:
        place = handed.HandedPlace(Full(ours), {"user": "root", "environment": {}})
        with pytest.raises(places.PlaceError, match="too many files"):
            place.terminal(None, 80, 24)
    assert asked[-1] == ("close", {"number": 5})


def test_an_agent_ends_though_what_switches_off_answers_no_more() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        handed.Asking(ours).finish()
