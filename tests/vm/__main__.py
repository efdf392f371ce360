"""`make vm-test`: a server of each provider as a true machine, from the create to its call home.

The create goes over the stand-in's API; its user data is found by cloud-init's own source for the
provider, through firmware and metadata service. About a minute or two each; not in `make test`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aiohttp import web

from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.agenda import real_clock
from brihaspati_cloudsim.exchange import Request
from brihaspati_cloudsim.machines import metadata
from brihaspati_cloudsim.servers import Server
from brihaspati_cloudsim.world import World
from standin import BOOTED, DROPLET, INSTANCE
from vm import disks, machine

FOLDER = Path("var/vm")
BOOT_SECONDS_MAX = 420
SYSTEMS = {"digitalocean": ("bookworm", "DigitalOcean"), "linode": ("trixie", "Akamai")}
# Inside the emulated network, where a machine finds both its metadata and us.
NETWORKS = {"digitalocean": "169.254", "linode": "169.254"}
USER_DATA = """#cloud-config
hostname: lab-1
users:
  - {name: student, shell: /bin/bash}
write_files:
  - path: /etc/systemd/system/web.service
    content: |
      [Service]
      ExecStart=/usr/bin/python3 -m http.server 443 --directory /srv
      User=student
      AmbientCapabilities=CAP_NET_BIND_SERVICE
      Restart=always
      [Install]
      WantedBy=multi-user.target
  - path: /opt/call_home.py
    content: |
      import json, pathlib, pwd, subprocess, urllib.request
      active = subprocess.run(["systemctl", "is-active", "web"], capture_output=True, text=True)
      told = {
          "cloud": pathlib.Path("/run/cloud-init/cloud-id").read_text().strip(),
          "hostname": pathlib.Path("/etc/hostname").read_text().strip(),
          "home": pwd.getpwnam("student").pw_dir,
          "web": active.stdout.strip(),
          "seconds": float(pathlib.Path("/proc/uptime").read_text().split()[0]),
      }
      urllib.request.urlopen("http://169.254.0.253/", json.dumps(told).encode(), timeout=60)
runcmd:
  - systemctl daemon-reload
  - systemctl enable --now web
  - python3 /opt/call_home.py
"""
EXPECTED = {"hostname": "lab-1", "home": "/home/student", "web": "active"}


class Steps:
    """Says what is done, and how long it took since the start."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def tell(self, text: str) -> None:
        """One line."""
        sys.stdout.write(f"{time.monotonic() - self.started:6.1f} s  {text}\n")
        sys.stdout.flush()


def rented(provider: str) -> Server:
    """A server made over the API, with our user data."""
    world = World(real_clock(), lags=Lags.none(), networks=NETWORKS)
    secret = world.add_usual_tokens()[provider]
    path = "/v2/droplets"
    body: dict[str, Any] = DROPLET | {"user_data": USER_DATA}
    if provider == "linode":
        given = {"user_data": base64.b64encode(USER_DATA.encode()).decode()}
        path = "/v4/linode/instances"
        body = INSTANCE | BOOTED | {"metadata": given}
    headers = {"authorization": f"Bearer {secret}"}
    answer = world.handle(Request("POST", path, {}, headers, json.dumps(body).encode()))
    if answer.status >= 300:
        raise ValueError(f"the create was refused: {answer.body}")
    return world.running(provider)[0]


async def _serve(stack: AsyncExitStack, application: web.Application) -> int:
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    return port


def _watched(application: web.Application, steps: Steps) -> web.Application:
    """Tell of each question to the metadata service."""

    async def tell(request: web.Request, _response: web.StreamResponse) -> None:
        steps.tell(f"  metadata: {request.method} {request.path}")

    application.on_response_prepare.append(tell)
    return application


async def boot(provider: str, disk: disks.Disk, steps: Steps) -> dict[str, Any]:
    """Run one machine until it calls home; what it says.

    Raises:
        TimeoutError: it does not.
    """
    called: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    async def home(request: web.Request) -> web.Response:
        called.set_result(json.loads(await request.read()))
        return web.Response()

    server = rented(provider)
    steps.tell(f"{provider}: {server.name} is made, with {len(USER_DATA)} bytes of user data")
    async with AsyncExitStack() as stack:
        told = await _serve(stack, _watched(metadata.application(server, []), steps))
        door = web.Application()
        door.router.add_post("/", home)
        ports = told, await _serve(stack, door)
        console = FOLDER / f"{provider}.console"
        process = stack.enter_context(machine.running(disk, server, ports, console))
        async with asyncio.timeout(BOOT_SECONDS_MAX):
            while not called.done():
                if process.poll() is not None:
                    raise RuntimeError(f"the machine ended: see {console}")
                await asyncio.wait([called], timeout=1)
        return called.result()


def main(chosen: list[str]) -> int:
    """Boot the providers named, or all; exit status 1 if one does not do its user data."""
    steps, failed = Steps(), 0
    for provider in chosen or [*SYSTEMS]:
        suite, source = SYSTEMS[provider]
        disk = disks.disk(FOLDER, suite, source, steps.tell)
        begun = time.monotonic()
        try:
            found = asyncio.run(boot(provider, disk, steps))
        except (TimeoutError, RuntimeError) as error:
            steps.tell(f"{provider}: FAILED: {error or 'no call home'}; see {FOLDER}/*.console")
            failed += 1
            continue
        right = found["cloud"] == source.lower() and found.items() >= EXPECTED.items()
        failed += not right
        verdict = "ok" if right else "WRONG"
        steps.tell(f"{provider}: {verdict} after {time.monotonic() - begun:.0f} s: {found}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
