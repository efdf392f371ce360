"""Process 1 of a machine: builds the root, runs the stages, keeps services, hands out sockets.

It is started in fresh namespaces with a socket to the stand-in as descriptor 3. The stand-in asks
for sockets of this network; we tell how far we are. When the stand-in is gone, so are we.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

from brihaspati_cloudsim.machines.inside import roots, stages, units

METADATA = "169.254.169.254"
MARK = 0x51
MESSAGE_BYTES_MAX = 1 << 16
TICK_SECONDS = 0.05
SYSTEMCTL = """#!/usr/bin/python3 -IS
import json, os, socket, sys
call = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
call.connect("/run/cloud-sim.socket")
name = os.path.basename(sys.argv[0])
words = sys.argv[1:] if name == "systemctl" else [name]
call.send(json.dumps(words).encode())
code, text = json.loads(call.recv(65536))
sys.stdout.write(text)
sys.exit(code)
"""
POWER = {"poweroff": "off", "halt": "off", "shutdown": "off", "reboot": "reboot"}
# Whoever listens here is met here; everything else on loopback is outside, through the stand-in.
RULES = """
table ip outside {{
  chain output {{
    type nat hook output priority -100;
    meta mark {mark} accept
    ip daddr 169.254.169.254 accept
    ip daddr 127.0.0.0/8 tcp dport != {port} redirect to :{port}
  }}
}}
"""


class Init:
    """The machine, from inside."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self.orders = orders
        self.master = socket.socket(fileno=3)
        self.services = units.Services()
        self.events = selectors.DefaultSelector()
        self.stages_pid = 0

    def main(self) -> None:
        """Live until the stand-in ends us."""
        disk = Path(self.orders["disk"])
        fresh = roots.furnish(disk, self.orders["etc"], self.orders["files"])
        self._network()
        roots.enter(disk, self.orders["layers"], self.orders["identity"])
        self._shims()
        self.tell("root")
        if fresh or self.orders["again"]:
            self._stages()
        else:
            for name in units.enabled():
                self.services.start(name)
        self._loop()

    def tell(self, what: str, *sockets: socket.socket, **more: Any) -> None:
        """Say something to the stand-in."""
        message = json.dumps({"said": what, **more}).encode()
        socket.send_fds(self.master, [message], [one.fileno() for one in sockets])

    def _network(self) -> None:
        for words in (
            ["link", "set", "lo", "up"],
            ["address", "add", f"{METADATA}/32", "dev", "lo"],
            # A card with the address the provider says it has; cloud-init looks for it.
            ["link", "add", "eth0", "address", self.orders["mac"], "type", "veth", "peer", "far"],
            ["link", "set", "eth0", "up"],
        ):
            subprocess.run(["ip", *words], check=True)
        metadata = socket.create_server((METADATA, 80))
        relay = socket.create_server(("127.0.0.1", 0), backlog=256)
        port = relay.getsockname()[1]
        rules = RULES.format(mark=MARK, port=port)
        subprocess.run(["nft", "-f", "-"], input=rules.encode(), check=True)
        self.tell("listening", metadata, relay)
        metadata.close()
        relay.close()

    def _shims(self) -> None:
        # In their own folder before all others, so that a reboot or an image finds them too.
        for name in ("systemctl", *POWER):
            path = Path("/usr/local/sbin", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(SYSTEMCTL)
            path.chmod(0o755)
        calls = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        calls.bind("/run/cloud-sim.socket")
        Path("/run/cloud-sim.socket").chmod(0o600)
        calls.listen(16)
        self.calls = calls

    def _stages(self) -> None:
        self.stages_pid = os.fork()
        if self.stages_pid:
            return
        code = 1
        try:
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            if command := self.orders["stages"]:
                code = self._real_stages(command)
            else:
                orders = self.orders
                stages.run(orders["user_data"], orders["config"], orders["hostname"])
                code = 0
        except Exception:  # noqa: BLE001 - this child has nobody else to tell
            stages.LOG.open("a").write(traceback.format_exc())
        finally:
            os._exit(code)

    def _real_stages(self, commands: list[list[str]]) -> int:
        environment = units.ENVIRONMENT | {"HOME": "/root"}
        with stages.LOG.open("ab") as log:
            for words in commands:
                subprocess.run(words, env=environment, stdout=log, stderr=log, check=False)
        return 0

    def _loop(self) -> None:
        awake, wakes = socket.socketpair()
        awake.settimeout(0)
        wakes.settimeout(0)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.set_wakeup_fd(wakes.fileno())
        for source in (self.master, self.calls, awake):
            self.events.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in self.events.select(TICK_SECONDS):
                if key.fileobj is self.master:
                    self._ordered()
                elif key.fileobj is self.calls:
                    self._called()
                else:
                    awake.recv(4096)
            self._reap()
            self.services.tick()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            if pid == self.stages_pid:
                self.tell("staged", code=code)
            self.services.ended(pid, code)

    def _ordered(self) -> None:
        message = self.master.recv(MESSAGE_BYTES_MAX)
        if not message:
            os._exit(0)
        order = json.loads(message)
        if order["do"] == "socket":
            made = socket.socket()
            made.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
            self.tell("socket", made, number=order["number"])
            made.close()

    def _called(self) -> None:
        call, _ = self.calls.accept()
        with call:
            words = json.loads(call.recv(MESSAGE_BYTES_MAX) or b"[]")
            verb = next((word for word in words if not word.startswith("-")), "")
            if verb in POWER:
                call.send(b'[0, ""]')
                self.tell("power", to=POWER[verb])
                return
            call.send(json.dumps(units.command(self.services, words)).encode())


if __name__ == "__main__":
    Init(json.loads(sys.stdin.readline())).main()
