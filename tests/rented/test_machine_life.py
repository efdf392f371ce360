"""A rented machine from Play to a terminal over HTTPS: a real agent on a stand-in's machine."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from rented.household import Household, household

pytestmark = [pytest.mark.root, pytest.mark.slow]


def test_from_play_to_a_terminal_over_https_and_gone_again(tmp_path: Path) -> None:
    with household(tmp_path) as house:
        asha = house.student("Asha")
        asha.play()
        assert asha.ticket()["url"].startswith(f"wss://{house.world.networks['digitalocean']}.")
        with asha.terminal() as terminal:
            terminal.run("echo $((6*7)) $(id -un)", until="42 root")
            # The student is root, whoever serves them is not.
            terminal.run("stat -c by-%U /var/lib/brihaspati/orders.json", until="by-brihaspati")
        asha.stop()
        assert house.world.running() == []


def test_a_certificate_is_renewed_in_time_and_no_terminal_notices(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with household(tmp_path, life_seconds=16) as house:
        asha = house.student("Asha")
        asha.play()
        first = house.until(lambda: _certificate(house))
        with asha.terminal() as terminal:
            terminal.run("kept=yes", until="kept=yes")
            house.until(lambda: _certificate(house) not in (None, first))
            terminal.run("echo still-$kept", until="still-yes")
            with asha.terminal() as again:
                again.run("echo $kept", until="yes")
    record_property(
        "proved", "a certificate that counts for 16 s was renewed; the open terminal went on"
    )


def _certificate(house: Household) -> bytes | None:
    """What the only machine serves with, verified; None if that ran out on a busy machine."""
    (server,) = house.world.running()
    trust = ssl.create_default_context(cafile=str(house.issuer.roots))
    with (
        contextlib.suppress(ssl.SSLCertVerificationError),
        socket.create_connection((server.address, 443), timeout=60) as plain,
        trust.wrap_socket(plain, server_hostname=server.address) as line,
    ):
        return line.getpeercert(binary_form=True)
    return None
