"""`brihaspati cloud-sim`: prints where it answers, and ends when it is told to."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("brihaspati")


def test_the_command_prints_settings_that_lead_to_it_and_ends_in_peace() -> None:
    words = [str(PROGRAM), "cloud-sim", "--port", "0", "--speed", "10"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        lines = [program.stdout.readline() for _ in range(2)]
        pattern = r"export (\w+)_API_URL=(\S+) \1_TOKEN=(\S+)\n"
        found = [re.fullmatch(pattern, line) for line in lines]
        for match, path in zip(found, ("/v2/account", "/account"), strict=True):
            assert match is not None, lines
            headers = {"authorization": f"Bearer {match[3]}"}
            asked = urllib.request.Request(match[2] + path, headers=headers)
            with urllib.request.urlopen(asked, timeout=60) as answer:
                assert json.loads(answer.read())
        program.send_signal(signal.SIGTERM)
        assert program.wait(60) == 0


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = [str(PROGRAM), "cloud-sim", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("brihaspati: cannot listen on 127.0.0.1:")
    assert "Traceback" not in done.stderr
