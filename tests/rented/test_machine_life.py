"""A rented machine from Play to a terminal over HTTPS: a real agent on a stand-in's machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from rented.household import household

pytestmark = [pytest.mark.root, pytest.mark.slow]


def test_from_play_to_a_terminal_over_https_and_gone_again(tmp_path: Path) -> None:
    with household(tmp_path) as house:
        asha = house.student("Asha")
        asha.play()
        assert asha.ticket()["url"].startswith(f"wss://{house.world.networks['digitalocean']}.")
        with asha.terminal() as terminal:
            terminal.run("echo $((6*7)) $(id -un)", until="42 root")
        asha.stop()
        assert house.world.running() == []
