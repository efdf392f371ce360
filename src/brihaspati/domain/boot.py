"""The user data of a rented machine: what it does at its first boot, and the one secret it has.

Whoever is on the machine can read this text for as long as the machine lives: it holds a token that
works once, and public values. It fetches the agent from the control plane, believes it only by its
digest, and starts it as a service; nothing is installed from anywhere else.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from brihaspati.domain import egress

BYTES_MAX = 16 * 1024
FOLDER = "/opt/brihaspati"
STATE = "/var/lib/brihaspati"
SILENT_SECONDS = 30 * 60


@dataclass(frozen=True, slots=True)
class Boot:
    """What every machine of a deployment is told. `url` is where the control plane answers it.

    `agent_sha256` names the archive it runs, in hexadecimal. `trust` are certificates, PEM, that it
    trusts besides its system's: of a control plane, or an issuer, of one's own. A machine that we
    do not answer for `silent_seconds` ends by itself. `home`: networks at which we are reached.
    """

    url: str
    agent_sha256: str
    trust: str = ""
    silent_seconds: int = SILENT_SECONDS
    home: tuple[str, ...] = egress.EVERYWHERE


@dataclass(frozen=True, slots=True)
class Told:
    """What one machine is told besides."""

    label: str
    sandbox: str
    token: str


def user_data(boot: Boot, told: Told) -> str:
    """The cloud-config. Lists are written as JSON, which is YAML too."""
    files = [
        _file(f"{FOLDER}/boot.json", json.dumps({"v": 1, **asdict(boot), **asdict(told)}), "0600"),
        _file(f"{FOLDER}/deadman.sh", _deadman(boot.silent_seconds), "0700"),
        _file(f"{FOLDER}/closed.nft", CLOSED, "0600"),
        _file(f"{FOLDER}/run.py", RUN, "0600"),
        _file("/etc/systemd/system/brihaspati-agent.service", SERVICE, "0644"),
        _file("/etc/systemd/system/brihaspati-deadman.service", DEADMAN_SERVICE, "0644"),
    ]
    config = {"ssh_pwauth": False, "write_files": files, "runcmd": [["sh", "-c", START]]}
    lines = [f"{name}: {json.dumps(value)}" for name, value in config.items()]
    return "\n".join(["#cloud-config", *lines, ""])


def _file(path: str, content: str, permissions: str) -> dict[str, str]:
    return {"path": path, "content": content, "permissions": permissions}


# Only Python's own parts, which cloud-init needs too. Each start of Python costs the student a
# moment: one process becomes the agent, and a fork of it fetches and compiles, so that what that
# needs is in nobody's memory afterwards. The metadata service tells whoever asks what this text
# says: it is closed as soon as we have asked it ourselves.
RUN = """\
import os, sys
home, known, place = "{folder}", "{folder}/machine-id", "{folder}/agent.pyz"
def ask(url, method="GET", context=None, **headers):
    import urllib.request
    asked = urllib.request.Request(url, method=method, headers=headers)
    return urllib.request.urlopen(asked, timeout=20, context=context).read()
def identify():
    base = "http://169.254.169.254"
    try:
        return ask(base + "/metadata/v1/id").decode()
    except OSError:
        import json
        lives = {"Metadata-Token-Expiry-Seconds": "60"}
        token = ask(base + "/v1/token", "PUT", **lives).decode()
        wanted = {"Accept": "application/json", "Metadata-Token": token}
        return str(json.loads(ask(base + "/v1/instance", **wanted))["id"])
def close():
    import subprocess
    try:
        return subprocess.Popen(["nft", "-f", home + "/closed.nft"], stderr=subprocess.DEVNULL)
    except OSError:
        return None
def keep(path, data):
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)
def fetch():
    import hashlib, json, time
    boot = json.load(open(home + "/boot.json"))
    wanted = boot["agent_sha256"]
    if os.path.exists(place):
        if hashlib.sha256(open(place, "rb").read()).hexdigest() == wanted:
            return
    import ssl
    context = ssl.create_default_context()
    if boot["trust"]:
        context.load_verify_locations(cadata=boot["trust"])
    url = boot["url"] + "/v1/agent/" + wanted + ".pyz"
    for wait in [0.2] * 10 + [1] * 30 + [5] * 60:
        try:
            data = ask(url, context=context)
            if hashlib.sha256(data).hexdigest() != wanted:
                sys.exit("the agent is not the one we were told of")
            return keep(place, data)
        except OSError as error:
            print(url, error, file=sys.stderr)
            time.sleep(wait)
    sys.exit("the control plane cannot be reached")
def begin():
    if not os.path.exists(known):
        try:
            keep(known, identify().encode())
        except (OSError, ValueError, KeyError) as error:
            print("metadata service:", error, file=sys.stderr)
    closing = close()
    fetch()
    import pathlib
    sys.path.insert(0, place)
    from brihaspati_agent import compiled
    compiled.keep(pathlib.Path(place))
    if closing is None or closing.wait():
        print("the metadata service stays open: no nft here", file=sys.stderr)
if os.fork() == 0:
    begin()
    sys.exit(0)
if os.wait()[1]:
    sys.exit(1)
made = place + "." + sys.implementation.cache_tag
sys.path.insert(0, made if os.path.exists(made) else place)
from brihaspati_agent.divided import main
sys.exit(main(["--boot", home + "/boot.json", "--state", "{state}"]))
""".replace("{folder}", FOLDER).replace("{state}", STATE)

# The agent does the same by itself, and sooner; this is for the day on which somebody has stopped
# it. Uptime cannot be set wrong, clocks can.
DEADMAN = """\
#!/bin/sh
# Wipe and switch off when the agent's promise to be alive is over.
file=/run/brihaspati/off-at
now() {{ cut -d. -f1 /proc/uptime; }}
mkdir -p /run/brihaspati
[ -s $file ] || printf '%10d\\n' $(($(now) + {silent})) >$file
while sleep {pause}; do
    until=$(cat $file 2>/dev/null)
    [ "$(now)" -lt $((${{until:-0}} + {grace})) ] && continue
    timeout 60 python3 -I -c "import sys; sys.path.insert(0, '{folder}/agent.pyz'); \\
from brihaspati_agent import dying; dying.wipe()"
    systemctl poweroff || poweroff -f
    exit
done
"""


def _deadman(silent_seconds: int) -> str:
    grace = max(silent_seconds // 20, 1)
    pause = min(max(grace // 4, 1), 15)
    return DEADMAN.format(silent=silent_seconds, grace=grace, pause=pause, folder=FOLDER)


START_AGENT = f"/usr/bin/python3 -IS {FOLDER}/run.py"
# systemd gives up what it started five times in 10 s, and ends all that a service has begun with
# it: what a student left running in their lab must not end with an agent of theirs.
# Twice over what the agent lets strangers have, so that terminals, files and orders find a number.
OPEN_MAX = 4096
# Memory that is free goes back to the lab.
MALLOC = "MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536"
SERVICE = f"""\
[Unit]
Description=Brihaspati agent
After=network-online.target
StartLimitIntervalSec=0
[Service]
ExecStart={START_AGENT}
Environment={MALLOC}
LimitNOFILE={OPEN_MAX}:524288
StateDirectory=brihaspati
StateDirectoryMode=0700
Restart=always
RestartSec=0.5
KillMode=process
[Install]
WantedBy=multi-user.target
"""

DEADMAN_SERVICE = f"""\
[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh {FOLDER}/deadman.sh
Restart=always
[Install]
WantedBy=multi-user.target
"""

# Added anew at each start: what was there of it goes first.
CLOSED = """\
add table inet brihaspati
delete table inet brihaspati
table inet brihaspati {
  chain out {
    type filter hook output priority 0;
    ip daddr 169.254.169.254 reject
    ip6 daddr fd00:a9fe:a9fe::1 reject
  }
}
"""

# Where there is no systemd the agent is kept alive by a loop.
START = f"""\
useradd --system --no-create-home --shell /usr/sbin/nologin brihaspati
rm -f /var/lib/cloud/instance/user-data.txt* /var/lib/cloud/instance/scripts/part-*
if ! systemctl enable --now brihaspati-agent.service brihaspati-deadman.service; then
  mkdir -p -m 0700 {STATE}
  ulimit -Sn {OPEN_MAX}
  {MALLOC} setsid sh -c 'while :; do {START_AGENT}; sleep 0.5; done' \\
    </dev/null >>{STATE}/agent.log 2>&1 &
  setsid sh {FOLDER}/deadman.sh </dev/null >/dev/null 2>&1 &
fi
"""
