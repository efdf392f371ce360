"""Servers with a body: user data is done, the network is theirs, and nothing is left."""

from __future__ import annotations

import base64
import functools
import http.server
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from cloudsim_rental import PATIENCE_SECONDS, Rental, page

pytestmark = [pytest.mark.root, pytest.mark.slow]
PROVIDERS = ("digitalocean", "linode")
USER_DATA = """#cloud-config
hostname: lab-1
groups: [labs]
users:
  - name: agent
    system: true
    sudo: "ALL=(student) NOPASSWD: ALL"
  - {name: student, shell: /bin/bash, groups: [labs]}
write_files:
  - {path: /opt/early.txt, content: ZWFybHkK, encoding: b64, permissions: "0600"}
  - {path: /srv/late.txt, content: "late\\n", owner: "student:labs", defer: true}
  - path: /etc/systemd/system/web.service
    content: |
      [Service]
      ExecStart=/usr/bin/python3 -m http.server 443 --directory /srv
      User=agent
      AmbientCapabilities=CAP_NET_BIND_SERVICE
      StateDirectory=web
      Restart=always
      [Install]
      WantedBy=multi-user.target
runcmd:
  - [sh, -c, "stat -c '%U %G %a' /opt/early.txt /srv/late.txt > /srv/owners"]
  - hostname > /srv/hostname; false
  - ls / > /srv/root; cat /etc/shadow | wc -l > /srv/shadow; ls /root > /srv/home
  - cut -d. -f1 /proc/uptime > /srv/uptime
  - systemctl daemon-reload
  - systemctl enable --now web
"""
ASK_DIGITALOCEAN = """import urllib.request as u
base = "http://169.254.169.254/metadata/v1"
for path in (".json", "/interfaces/public/0/ipv4/address"):
    print(u.urlopen(base + path).read().decode())
"""
ASK_LINODE = """import base64, urllib.error, urllib.request as u
base = "http://169.254.169.254/v1"
try:
    u.urlopen(base + "/user-data")
except urllib.error.HTTPError as error:
    print(error.code)
lives = {"Metadata-Token-Expiry-Seconds": "60"}
token = u.urlopen(u.Request(base + "/token", method="PUT", headers=lives)).read().decode()
for path in ("/instance", "/user-data"):
    asked = u.Request(base + path, headers={"Metadata-Token": token})
    print(u.urlopen(asked).read().decode())
"""


def given(provider: str, user_data: str) -> dict[str, object]:
    """User data as a create of this provider carries it."""
    if provider == "digitalocean":
        return {"user_data": user_data}
    return {"metadata": {"user_data": base64.b64encode(user_data.encode()).decode()}}


@pytest.fixture
def outside() -> Iterator[tuple[int, list[str]]]:
    """Somebody who listens on loopback: the port, and who came."""
    came: list[str] = []

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(f"{self.client_address[0]} {self.path}")
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield listening.server_address[1], came
        listening.shutdown()
        thread.join()


def test_user_data_is_done_and_the_server_answers_at_its_own_address(rental: Rental) -> None:
    for number, provider in enumerate(PROVIDERS):
        path, address = rental.rent(provider, **given(provider, USER_DATA))
        rental.page(address, "late.txt")
        assert page(address, "owners") == "root root 600\nstudent labs 644\n"
        assert page(address, "hostname") == "lab-1\n"
        assert "mnt" in page(address, "root").split()
        assert int(page(address, "shadow")) < 8
        assert page(address, "home") == ""
        assert int(page(address, "uptime")) <= PATIENCE_SECONDS  # its own, not this host's
        assert len(rental.world.running()) == 1, number
        rental.ask("DELETE", path)
        rental.until(rental.gone)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address, 443), 5)


@pytest.mark.parametrize("rental", ["cloud-init"], indirect=True)
def test_the_real_cloud_init_does_the_same_with_the_same_user_data(rental: Rental) -> None:
    for provider, source in (("digitalocean", "DigitalOcean"), ("linode", "")):
        path, address = rental.rent(provider, **given(provider, USER_DATA))
        rental.page(address, "late.txt")
        assert page(address, "owners") == "root root 600\nstudent labs 644\n"
        assert page(address, "hostname") == "lab-1\n"
        server = rental.world.running()[0]
        disk = rental.pool.folder / server.key / "root"
        told = json.loads(rental.until((disk / "var/lib/cloud/data/result.json").read_text))
        assert told["v1"]["errors"] == []
        assert source in told["v1"]["datasource"]
        rental.ask("DELETE", path)
        rental.until(rental.gone)


def test_the_metadata_service_is_the_providers_own(rental: Rental) -> None:
    ask = "python3 /opt/ask.py > /srv/seen; cd /srv; exec python3 -m http.server 443"
    for provider, program in zip(PROVIDERS, (ASK_DIGITALOCEAN, ASK_LINODE), strict=True):
        body = base64.b64encode(program.encode()).decode()
        script = f"#!/bin/sh\necho {body} | base64 -d > /opt/ask.py\n({ask}) &\n"
        path, address = rental.rent(provider, **given(provider, script))
        lines = str(rental.page(address, "seen")).splitlines()
        number = int(path.rsplit("/", 1)[1])
        if provider == "digitalocean":
            facts = json.loads(lines[0])
            assert (facts["droplet_id"], facts["user_data"]) == (number, script)
            assert lines[1] == address
        else:
            assert (lines[0], json.loads(lines[1])["id"]) == ("401", number)
            assert base64.b64decode(lines[2]).decode() == script


def test_what_goes_out_comes_from_the_servers_address_and_a_firewall_may_stop_it(
    rental: Rental, outside: tuple[int, list[str]]
) -> None:
    port, came = outside
    call = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/%s', timeout=3)"
    script = f'#!/bin/sh\npython3 -c "{call % "open"}"\ntouch /srv/done\n'
    _, address = rental.rent("digitalocean", **given("digitalocean", script))
    assert rental.until(lambda: came) == [f"{address} /open"]
    everyone = {"addresses": ["0.0.0.0/0"]}
    rule = {"protocol": "tcp", "ports": "443", "sources": everyone}
    rental.ask("POST", "/v2/tags", {"name": "shut"})
    wall = {"name": "shut", "inbound_rules": [rule], "tags": ["shut"]}
    rental.ask("POST", "/v2/firewalls", wall)
    serve = "(cd /srv; exec python3 -m http.server 443) &\n"
    shut = f'#!/bin/sh\npython3 -c "{call % "shut"}" || echo no > /srv/no\n{serve}'
    _, second = rental.rent("digitalocean", tags=["shut"], **given("digitalocean", shut))
    assert rental.page(second, "no") == "no\n"
    assert came == [f"{address} /open"]


def test_a_service_that_is_killed_comes_back(rental: Rental) -> None:
    knock = "python3 -c 'import socket as s; s.create_connection((\"127.0.0.1\", 443))'"
    again = f"  - while ! {knock}; do sleep 0.05; done\n"
    again += "  - pkill -f http.server; echo killed > /srv/killed\n"
    _, address = rental.rent("linode", **given("linode", USER_DATA + again))
    assert rental.page(address, "killed") == "killed\n"


def test_a_server_dies_or_loses_its_network_and_the_provider_says_it_runs(rental: Rental) -> None:
    for kind, provider in (("dies", "digitalocean"), ("loses_network", "linode")):
        path, address = rental.rent(provider, **given(provider, USER_DATA))
        rental.page(address, "late.txt")
        server = rental.world.running(provider)[0]
        (rental.pool.halt if kind == "dies" else rental.pool.cut)(server)
        rental.until(functools.partial(_is_silent, address))
        seen = rental.ask("GET", path)
        assert seen.get("droplet", seen)["status"] in ("active", "running")


def _is_silent(address: str) -> bool:
    try:
        return not page(address, "late.txt")
    except OSError:
        return True


def test_an_image_keeps_the_disk_and_a_reboot_keeps_the_services(rental: Rental) -> None:
    path, address = rental.rent("digitalocean", **given("digitalocean", USER_DATA))
    rental.page(address, "late.txt")
    rental.ask("POST", f"{path}/actions", {"type": "reboot"})
    rental.pool.settled()
    rental.page(address, "late.txt")
    rental.ask("POST", f"{path}/actions", {"type": "snapshot", "name": "baked"})
    rental.pool.settled()
    image = rental.ask("GET", f"{path}/snapshots")["snapshots"][0]["id"]
    rental.ask("DELETE", path)
    serve = "#!/bin/sh\ncat /opt/early.txt > /srv/kept\nsystemctl enable --now web\n"
    fields = given("digitalocean", serve) | {"image": image}
    _, second = rental.rent("digitalocean", **fields)
    assert rental.page(second, "kept") == "early\n"


def test_a_server_that_powers_itself_off_is_off_and_billed(rental: Rental) -> None:
    path, _ = rental.rent("digitalocean", **given("digitalocean", "#!/bin/sh\nshutdown -h now\n"))
    rental.until(lambda: rental.ask("GET", path)["droplet"]["status"] == "off")
    rental.until(lambda: not rental.pool.machines)
    assert len(rental.world.running()) == 1


def test_twenty_servers_at_once_run_and_are_gone(rental: Rental) -> None:
    rented = [
        rental.rent("digitalocean", name=f"n{number}", **given("digitalocean", USER_DATA))
        for number in range(20)
    ]
    for _, address in rented:
        assert rental.page(address, "late.txt") == "late\n"
    for path, _ in rented:
        rental.ask("DELETE", path)
    rental.until(rental.gone)
