"""What students do to the machine they are root on, and what is left of their lab."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest

from brihaspati.engine import machines
from rented.household import Household, Student, household

pytestmark = [pytest.mark.root, pytest.mark.slow]
Proved = Callable[[str, object], None]
# Folders that the agent writes to or starts from, each made a disk of its own without a free byte.
FILL = """for d in /tmp /root /var/tmp /var/lib/brihaspati /opt/brihaspati; do
mkdir -p /run/was$d; cp -a $d/. /run/was$d; kb=$(du -sk $d | cut -f1)
mount -t tmpfs -o size=$((kb + 64))k tmpfs $d; cp -a /run/was$d/. $d
head -c 8M /dev/zero >$d/full 2>/dev/null; done; echo full-$((40 + 2))"""
STOLEN = """python3 - <<'END'
import json, urllib.request, urllib.error
boot = json.load(open("/opt/brihaspati/boot.json"))
body = json.dumps({"label": boot["label"], "machine_id": open("/opt/brihaspati/machine-id").read(),
    "key": "A" * 43 + "="}).encode()
asked = urllib.request.Request(boot["url"] + "/v1/machines/bootstrap", body,
    {"Authorization": "Bearer " + boot["token"], "Content-Type": "application/json"})
try:
    urllib.request.urlopen(asked)
    print("got", "in")
except urllib.error.HTTPError as error:
    print("answer", error.code)
END"""

PROBE = """python3 - <<'END'
import socket
def reaches(address, port):
    line = socket.socket()
    line.settimeout(3)
    return line.connect_ex((address, port)) == 0
tried = [("{there}", 443), ("{there}", 8081), ("{there}", 25), ("169.254.169.254", 80)]
print("reached", " ".join(str(port) for address, port in tried if reaches(address, port)) + ".")
END"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with household(tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.fixture
def asha(house: Household, request: pytest.FixtureRequest) -> Iterator[Student]:
    """Somebody whose lab is ready, another for each test."""
    student = house.student(f"Asha {len(request.node.name)}")
    student.play()
    yield student
    if student.phase() == "ready":
        student.stop()


def test_an_agent_that_is_killed_on_full_disks_comes_back_and_the_lab_is_not_lost(
    asha: Student, house: Household, record_property: Proved
) -> None:
    with asha.terminal() as terminal:
        terminal.run("echo mine >/root/essay.txt; echo kept-$?", until="kept-0")
        terminal.run(FILL, until="full-42")
        terminal.line.send(b"\x00setsid sh -c 'sleep 0.2; pkill -9 -f brihaspati.run.py' &\n")
        with pytest.raises(OSError, match=r"^(?!no answer)"):
            terminal.run("", until="never said")
    house.until(lambda: _opens(asha))
    with asha.terminal() as terminal:
        terminal.run("cat /root/essay.txt; df /root", until="100%")
    assert asha.phase() == "ready"
    record_property("proved", "an agent that was killed on full disks came back; the lab was there")


def _opens(student: Student) -> bool:
    try:
        with student.terminal() as terminal:
            return "mine" in terminal.run("cat /root/essay.txt", until="mine")
    except OSError:
        return False


def test_a_stolen_token_opens_nothing_is_told_of_and_ends_the_lab(
    asha: Student, house: Household, record_property: Proved
) -> None:
    with asha.terminal() as terminal:
        terminal.line.send(b"\x00" + STOLEN.encode() + b"\n")
        house.until(lambda: asha.phase() == "failed")
    said = asha.ask("GET", asha.sandbox)["sandbox"]
    assert said["reason"] == machines.STOLEN
    alarms = house.engine.world.store.query(f"s#{said['id']}", "alarm#").items
    assert [alarm.body["what"] for alarm in alarms] == ["token used twice"]
    house.until(lambda: house.world.running() == [])
    record_property("proved", "a token used twice: an alarm, the lab ended, its machine deleted")


@contextlib.contextmanager
def _listening(address: str, *ports: int) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for port in ports:
            stack.enter_context(socket.create_server((address, port)))
        yield


def test_a_machine_lets_out_what_its_lab_may_reach_and_no_mail_even_without_the_clouds_wall(
    asha: Student, house: Household, record_property: Proved
) -> None:
    there = house.address.removeprefix("http://").rpartition(".")[0] + ".9"
    probe = PROBE.format(there=there)
    house.world.accounts["digitalocean"].firewalls.clear()
    with _listening(there, 443, 8081, 25), asha.terminal() as terminal:
        terminal.run(probe, until="reached 443.")
        terminal.run("nft delete table inet brihaspati_lab; echo open-$?", until="open-0")
        # So it was this wall that held; metadata stay closed by another.
        terminal.run(probe, until="reached 443 8081 25.")
    record_property(
        "proved", "a machine's own wall: 443 goes out, mail, other ports and metadata do not"
    )
