"""This machine as a place, and the agent as a program of its own."""

from __future__ import annotations

import base64
import contextlib
import gc
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import stage
from brihaspati_agent import descriptors as own_descriptors
from brihaspati_agent import local, places

PLACE = local.LocalPlace()


def _read_until(terminal: places.Terminal, wanted: bytes) -> bytes:
    seen = b""
    ends = time.monotonic() + stage.PATIENCE_SECONDS
    while wanted not in seen:
        assert time.monotonic() < ends, seen
        if select.select([terminal.fileno()], [], [], 0.1)[0]:
            with contextlib.suppress(BlockingIOError):
                seen += os.read(terminal.fileno(), 4096)
    return seen


def test_a_program_has_a_terminal_of_its_own_and_controls_it() -> None:
    terminal = PLACE.terminal(
        ["/bin/sh", "-c", "stty size; ps -o tpgid=,pid= $$; pwd; cat"], 91, 17
    )
    seen = _read_until(terminal, os.path.expanduser("~").encode())  # noqa: PTH111
    assert b"17 91" in seen
    group, pid = seen.split(b"\r\n")[1].split()
    assert group == pid, "foreground of its controlling terminal"
    terminal.resize(50, 10)
    terminal.close()
    terminal.close()


def test_closing_a_terminal_ends_even_a_program_that_will_not_hear() -> None:
    script = "trap '' HUP TERM; echo pid $$.; while :; do sleep 1; done"
    terminal = PLACE.terminal(["/bin/sh", "-c", script], 80, 24)
    pid = int(_read_until(terminal, b".\r\n").split(b"pid ")[1].split(b".")[0])
    terminal.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_terminals_program_inherits_no_descriptor_and_no_ignored_signal() -> None:
    own_descriptors.keep()
    with open("/etc/passwd", "rb"):  # noqa: PTH123
        script = "echo /proc/self/fd/*; grep SigIgn /proc/self/status; echo end"
        terminal = PLACE.terminal(["/bin/bash", "-c", script], 80, 24)
        seen = _read_until(terminal, b"end\r\n").decode()
    terminal.close()
    descriptors = {int(path.rpartition("/")[2]) for path in seen.splitlines()[0].split()}
    assert {0, 1, 2} < descriptors
    assert len(descriptors - {255}) == 4, "and the one that lists them"
    ignored = int(seen.split("SigIgn:")[1].split()[0], 16)
    assert ignored & 0x7FFFFFFF == 0


def children() -> set[str]:
    """The processes this one has started and not waited for, from whichever thread."""
    found: set[str] = set()
    for path in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that has just ended
            found.update(path.read_text().split())
    return found


def test_no_terminal_leaks_descriptors_or_children() -> None:
    gc.collect()  # what other tests have dropped is closed now, and not meanwhile
    # Other tests of this process may have servers of their own running, and close files.
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208
    others = children()
    for _ in range(10):
        PLACE.terminal(["/bin/cat"], 80, 24).close()
    assert set(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208
    assert children() <= others


def test_a_command_is_fed_and_heard_on_both_streams() -> None:
    outcome = PLACE.run(
        ["/bin/sh", "-c", "cat; echo err >&2; exit 4"],
        stdin=b"x" * 300_000,
        output_bytes_max=400_000,
    )
    assert outcome == places.Outcome(4, b"x" * 300_000, b"err\n")


def test_a_commands_output_is_kept_up_to_the_limit_and_it_may_go_on() -> None:
    script = "head -c 1000000 /dev/zero; echo done >&2"
    outcome = PLACE.run(["/bin/sh", "-c", script], output_bytes_max=1000)
    assert (len(outcome.output), outcome.error) == (1000, b"done\n")
    assert outcome.truncated
    assert outcome.code == 0


def test_a_command_that_does_not_read_its_input_ends_well() -> None:
    assert PLACE.run(["/bin/true"], stdin=b"x" * 1_000_000).code == 0


def test_a_command_that_closes_its_streams_is_still_waited_for() -> None:
    outcome = PLACE.run(["/bin/sh", "-c", "exec >&- 2>&- <&-; sleep 0.1; exit 5"])
    assert outcome.code == 5


def test_time_up_ends_a_command_and_its_children() -> None:
    started = time.monotonic()
    script = "echo begun; sleep 77.25 & wait"
    outcome = PLACE.run(["/bin/sh", "-c", script], timeout_seconds=1)
    assert time.monotonic() - started < 60
    assert outcome.timed_out
    assert outcome.code == -signal.SIGKILL
    assert outcome.output == b"begun\n"
    while subprocess.run(["pgrep", "-f", "^sleep 77.25"], check=False).returncode == 0:
        assert time.monotonic() - started < 60


def test_what_a_command_leaves_in_the_background_does_not_hold_us() -> None:
    started = time.monotonic()
    outcome = PLACE.run(["/bin/sh", "-c", "sleep 60 & echo out"], timeout_seconds=50)
    assert time.monotonic() - started < 30
    assert outcome.output == b"out\n"
    assert not outcome.timed_out


def test_a_killed_command_says_by_what() -> None:
    assert PLACE.run(["/bin/sh", "-c", "kill -TERM $$"]).code == -signal.SIGTERM


@pytest.mark.root
def test_a_command_can_run_as_another_user() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may become another user")
    assert PLACE.run(["/usr/bin/id", "-un"], user="nobody").output == b"nobody\n"
    assert PLACE.run(["/usr/bin/id", "-G"], user="nobody").output.split() == [b"65534"]


def test_a_file_is_replaced_whole_and_with_its_mode(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with path.open("rb") as old:
        PLACE.write(str(path), b"new", 0o640)
        assert old.read() == b"old"
    assert PLACE.read(str(path), 3) == b"new"
    assert path.stat().st_mode & 0o7777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: pathlib.Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(places.PlaceError, match="directory"):
        PLACE.write(str(tmp_path / "folder"), b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_fifo_is_not_waited_for(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(places.PlaceError, match="not a regular file"):
        PLACE.read(str(tmp_path / "fifo"), 10)


def test_a_port_is_reached_or_said_to_be_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        PLACE.connect(port).close()
    with pytest.raises(places.PlaceError, match=f"port {port}: Connection refused"):
        PLACE.connect(port)


# --- as a program ------------------------------------------------------------------------------
SIGNER = stage.Signer(stage.Clock(time.time_ns() // 1_000_000))
PUBLIC = base64.b64encode(SIGNER.public).decode()


@contextlib.contextmanager
def _program(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "brihaspati_agent", "--listen", "127.0.0.1:0"]
    env = {**os.environ, "PYTHONPATH": str(pathlib.Path(local.__file__).parents[1])}
    with subprocess.Popen(
        [*command, "--public-key", PUBLIC, "--env", stage.ENV, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield process, int(line.strip().rpartition(":")[2])
        finally:
            process.terminate()


def test_the_agent_as_a_program_serves_its_own_machine_and_stops_cleanly() -> None:
    async def scenario() -> None:
        with _program("--label", "bh-this") as (process, port):
            agent = stage.Stage(port, SIGNER.clock, SIGNER, *[None] * 4)  # type: ignore[arg-type]
            SIGNER.clock.at = time.time_ns() // 1_000_000
            client = await agent.open(SIGNER.ticket(machines={"main": "bh-this"}))
            client.type("echo $((6*7)) pid $$.\r")
            await client.until(lambda: b"42 pid" in client.output)
            other = SIGNER.ticket(machines={"main": "bh-other"}, sandbox="other2")
            assert (await agent.refused(other))[0] == 4404
            process.terminate()
            assert (await client.is_closed())[0] == 4410
            assert process.wait(60) == 0

    stage.play(scenario)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--listen", "nowhere"], "give a host and a port"),
        (["--listen", "127.0.0.1:99999"], "give a host and a port"),
        (["--listen", "127.0.0.1:0", "--public-key", "abc"], "32 bytes"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_2(arguments: list[str], says: str) -> None:
    given = ["--listen", "127.0.0.1:0", "--public-key", PUBLIC, "--env", "x", *arguments]
    outcome = _run_to_end(given)
    assert outcome.returncode == 2
    assert says in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_a_taken_port_is_one_line_and_exit_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        where = f"127.0.0.1:{listener.getsockname()[1]}"
        outcome = _run_to_end(["--listen", where, "--public-key", PUBLIC, "--env", "x"])
    assert outcome.returncode == 1
    assert "is taken" in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def _run_to_end(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(pathlib.Path(local.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, "-m", "brihaspati_agent", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=env,
    )


def test_places_are_called_from_several_threads_at_once() -> None:
    codes: list[int] = []

    def run(code: int) -> None:
        codes.append(PLACE.run(["/bin/sh", "-c", f"exit {code}"]).code)

    threads = [threading.Thread(target=run, args=(code,)) for code in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == list(range(8))
