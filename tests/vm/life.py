"""A lab on one true machine, from Play to gone: in a network of its own, which nothing leaves.

Everything but the cloud is the product's: user data, units, agent, server, terminals. The server is
behind a proxy with TLS, as in earnest.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import loopback
import pebble
import proxy
from brihaspati import wiring
from brihaspati_cloudsim import server
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.agenda import real_clock
from brihaspati_cloudsim.world import World
from rented.household import Household, Student
from vm import disks, machine

SYSTEMS = {"digitalocean": ("bookworm", "DigitalOcean"), "linode": ("trixie", "Akamai")}
BOOT_SECONDS_MAX = 420
PORTAL = f"https://{machine.HOME}"
# What a student, who is root there, sees of the machine: a line for each word.
LOOK = r"""cat >/root/look.sh <<'END'
main=$(systemctl show -p MainPID --value brihaspati-agent)
agent=$(pgrep -P $main -u brihaspati)
pss() { awk '/^Pss:/ {print $2}' /proc/$1/smaps_rollup; }
echo cloud $(cat /run/cloud-init/cloud-id) init $(ps -p 1 -o comm=) $(systemctl --version | head -1)
echo units $(systemctl is-active brihaspati-agent brihaspati-deadman)
echo root-part $(ps -o user= -p $main) files $(awk '/open files/ {print $4}' /proc/$main/limits)
held=$(awk '/^(CapEff|NoNewPrivs)/ {print $1 $2}' /proc/$agent/status)
echo agent $(stat -c %U /proc/$agent) $held
echo memory $(pss $main) $(pss $agent) kB
echo walls $(nft list tables | wc -l) state $(stat -c '%U %a' /var/lib/brihaspati)
began=$(systemctl show -p ExecMainStartTimestampMonotonic --value brihaspati-agent)
echo uptime $(cut -d' ' -f1 /proc/uptime) s, its agent began at $((began / 1000000)) s
echo clock $(date +%s)
echo told $((40 + 2))
END
sh /root/look.sh"""
# So often that systemd would give up what it may start five times in 10 s.
KILL = (
    "setsid sh -c 'sleep 0.5; for n in 1 2 3 4 5 6 7; do "
    "pkill -KILL -f opt/brihaspati/run.py; sleep 0.8; done' &"
)
WANTED = (
    "units active active",
    "root-part root files 4096",
    "agent brihaspati CapEff:0000000000000400 NoNewPrivs:1",
    "walls 2 state brihaspati 700",
)


class Steps:
    """Says what is done, and how long it took since the start."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def tell(self, text: str) -> None:
        """One line."""
        sys.stdout.write(f"{time.monotonic() - self.started:6.1f} s  {text}\n")
        sys.stdout.flush()


def _settings(folder: Path, listen: str, issuer: pebble.Pebble, own: Path) -> dict[str, str]:
    """A server's, behind its proxy; it and its machines trust the issuer and the proxy."""
    trust = folder / "trust.pem"
    trust.write_bytes(b"".join(path.read_bytes() for path in (issuer.ca, issuer.roots, own)))
    return {
        "BRIHASPATI_DATA": str(folder / "data"),
        "BRIHASPATI_LABS": "labs",
        "BRIHASPATI_POOL": "0",
        "BRIHASPATI_LISTEN": listen,
        "BRIHASPATI_SECURE": "1",
        "BRIHASPATI_ORIGINS": PORTAL,
        "BRIHASPATI_ACME": issuer.directory,
        "BRIHASPATI_TRUST": str(trust),
    }


def _proxied(folder: Path, listen: str) -> tuple[Path, contextlib.AbstractContextManager[None]]:
    """A proxy in front, whom our own requests trust; its certificate."""
    portal = folder / "portal"
    portal.mkdir()
    certificate = pebble.certificate_for(portal, f"IP:{machine.HOME}")
    trusting = urllib.request.HTTPSHandler(context=pebble.trusting(certificate[0]))
    urllib.request.install_opener(urllib.request.build_opener(trusting))
    return certificate[0], proxy.proxying((machine.HOME, 443), listen, certificate)


@contextlib.contextmanager
def renting(provider: str, steps: Steps, folder: Path, kept: Path) -> Iterator[Household]:
    """A server that rents true machines of this provider's stand-in; consoles are in `kept`."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(
        ["ip", "route", "add", "local", machine.NETWORK, "dev", "lo", "src", "127.0.0.1"],
        check=True,
    )
    networks = {"digitalocean": "169.254", "linode": "169.254"}
    world = World(real_clock(), lags=Lags.none(), networks=networks)
    token = world.add_usual_tokens()[provider]
    disk = disks.disk(disks.FOLDER, *SYSTEMS[provider], steps.tell)
    emulator = machine.Emulator(disk, kept, steps.tell)
    world.accounts[provider].bodies = emulator
    listen = f"127.0.0.1:{loopback.free_port()}"
    with contextlib.ExitStack() as stack:
        stack.callback(emulator.close)
        issuer = stack.enter_context(pebble.running(folder, 443, f"{machine.ISSUER}:443"))
        sim = stack.enter_context(server.serving(world))
        own, front = _proxied(folder, listen)
        account = {
            "BRIHASPATI_PROVIDER": provider,
            f"{provider.upper()}_TOKEN": token,
            f"{provider.upper()}_API_URL": getattr(sim, provider),
        }
        shop = wiring.open_shop(_settings(folder, listen, issuer, own) | account)
        opened = stack.enter_context(shop._opened())
        local = stack.enter_context(shop._served(opened, lambda *_: None))
        stack.enter_context(local.in_background())
        stack.enter_context(front)
        pool: Any = emulator
        code = local.parts.code
        yield Household(world, pool, issuer, PORTAL, code, opened.engine, BOOT_SECONDS_MAX)


def _seen(student: Student) -> dict[str, str]:
    """What is to be seen on the machine, by the first word of each line."""
    with student.terminal() as terminal:
        said = terminal.run(LOOK, until="told 42")
    lines = [line.strip() for line in said.splitlines()]
    return {line.partition(" ")[0]: line for line in lines}


def live(house: Household, provider: str, steps: Steps) -> list[str]:
    """One lab; what of it was not as it should be."""
    steps.tell(f"{provider}: Play")
    asha = house.student("Asha")
    asha.play()
    steps.tell("ready: its own terminal echoed, over HTTPS at its own address")
    seen = _seen(asha)
    for line in seen.values():
        if line.partition(" ")[0] in ("cloud", *(w.partition(" ")[0] for w in WANTED)):
            steps.tell(f"  {line}")
    for word in ("memory", "uptime"):
        steps.tell(f"  {seen.get(word)}")
    source = SYSTEMS[provider][1].lower()
    wanted = (f"cloud {source} init systemd", *WANTED)
    ahead = round((int(seen["clock"].split()[1]) - time.time()) / 3600, 1)
    steps.tell(f"  its clock is {ahead} hours ahead")
    wrong = [w for w in wanted if not seen.get(w.partition(" ")[0], "").startswith(w)]
    with asha.terminal() as terminal:
        terminal.run("setsid sleep 7777 & echo mine >/root/essay.txt; echo kept-$?", until="kept-0")
        terminal.run(KILL, until="KILL")
    steps.tell("its agent is killed, seven times")
    house.until(lambda: _comes_back(asha))
    steps.tell("it came back, and the lab was there")
    asha.stop()
    steps.tell("gone")
    left = [one.name for one in house.world.running()]
    return wrong + [f"{name} still runs" for name in left]


def _comes_back(student: Student) -> bool:
    try:
        with student.terminal() as terminal:
            said = terminal.run(
                "cat /root/essay.txt; pgrep -fa sleep.777; echo so-$((4*4))", "so-16"
            )
    except OSError:
        return False
    return "mine" in said and "sleep 7777" in said


def main(provider: str) -> int:
    """In a network namespace of its own; exit status 1 if anything was not as it should be."""
    steps = Steps()
    kept = disks.FOLDER / f"{provider}-consoles"
    with (
        tempfile.TemporaryDirectory(prefix="bh-vm-") as folder,
        renting(provider, steps, Path(folder), kept) as house,
    ):
        try:
            wrong = live(house, provider, steps)
        except AssertionError as error:
            wrong = [str(error).splitlines()[-1]]
    for text in wrong:
        steps.tell(f"WRONG: {text}")
    steps.tell(f"{provider}: {'FAILED' if wrong else 'ok'}; consoles are in {kept}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
