"""What every machine's inside promises the agent."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from brihaspati import ports
from brihaspati_agent import places
from contracts.providers import rigs, screens

_PORT = 8080


@pytest.fixture(scope="module")
def machine(rig: rigs.Rig) -> Iterator[ports.MachineSeen]:
    """One machine for the whole file: what a test leaves in it hinders no other."""
    if "inside" not in rig.can:
        pytest.skip("its machines have no inside")
    orders = rigs.Orders(rig, f"p{os.urandom(4).hex()}")
    yield rig.provider.create(orders())
    orders.end()


@pytest.fixture
def place(rig: rigs.Rig, machine: ports.MachineSeen) -> places.Place:
    return rig.place(machine.label)


def _until(what: str, true: Callable[[], bool]) -> None:
    """Ask again until it is so, as long as a busy machine may take."""
    until = time.monotonic() + 40
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def _processes(rig: rigs.Rig, place: places.Place) -> bytes:
    return place.run(rig.processes).output


# --- run ----------------------------------------------------------------------------------------
def test_output_error_and_exit_status_come_back_apart(place: places.Place) -> None:
    outcome = place.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert outcome == places.Outcome(3, b"out\n", b"err\n")


def test_arguments_arrive_as_they_are(place: places.Place) -> None:
    odd = ["", "two words", "$HOME", "a'b\"c", "-n", "*", "new\nline"]
    outcome = place.run(["sh", "-c", 'for a; do printf "<%s>" "$a"; done', "sh", *odd])
    assert outcome.output == "".join(f"<{one}>" for one in odd).encode()


def test_input_is_fed_to_its_end_whatever_its_size(place: places.Place) -> None:
    data = os.urandom(300_000)
    outcome = place.run(["cat"], stdin=data, output_bytes_max=1 << 20)
    assert outcome.output == data


def test_a_command_may_ignore_its_input(place: places.Place) -> None:
    assert place.run(["true"], stdin=bytes(1 << 20)).code == 0


def test_a_command_without_input_reads_an_end_at_once(place: places.Place) -> None:
    assert place.run(["cat"], timeout_seconds=60).output == b""


def test_a_signal_is_a_negative_code(place: places.Place) -> None:
    assert place.run(["sh", "-c", "kill -KILL $$"]).code == -9


def test_a_command_that_is_not_there_is_a_plain_error(place: places.Place) -> None:
    with pytest.raises(places.PlaceError, match="no-such-command"):
        place.run(["no-such-command"])


def test_the_end_of_time_ends_the_command_and_its_children(
    rig: rigs.Rig, place: places.Place
) -> None:
    began = time.monotonic()
    outcome = place.run(["sh", "-c", "echo early; sleep 71 & sleep 72"], timeout_seconds=1.5)
    assert outcome.timed_out
    assert outcome.output == b"early\n"
    assert time.monotonic() - began < 60
    _until("both are gone", lambda: b"sleep 7" not in _processes(rig, place))


def test_long_output_is_cut_off_and_says_so(place: places.Place) -> None:
    script = "head -c 300000 /dev/zero; head -c 10 /dev/zero >&2"
    outcome = place.run(["sh", "-c", script], output_bytes_max=1000)
    assert outcome.code == 0
    assert (len(outcome.output), len(outcome.error), outcome.truncated) == (1000, 10, True)


def test_output_of_just_the_size_asked_for_is_whole(place: places.Place) -> None:
    outcome = place.run(["head", "-c", "1000", "/dev/zero"], output_bytes_max=1000)
    assert (len(outcome.output), outcome.truncated) == (1000, False)


def test_commands_run_side_by_side(place: places.Place) -> None:
    seen: dict[int, bytes] = {}

    def echo(number: int) -> None:
        seen[number] = place.run(["sh", "-c", f"sleep 0.1; echo {number}"]).output

    workers = [threading.Thread(target=echo, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen == {number: f"{number}\n".encode() for number in range(8)}


def test_a_students_machine_runs_things_as_the_student(real: rigs.Rig, orders: rigs.Orders) -> None:
    if "student" not in real.can:
        pytest.skip("its machines know only root")
    place = orders.place(user="student")
    said = place.run(["sh", "-c", 'id -un; cd; pwd; touch mine; echo "$HOME $USER"']).output
    assert said.split() == [b"student", b"/home/student", b"/home/student", b"student"]
    with screens.opened(place.terminal(None, 80, 24)) as screen:
        screen.type("id -un; pwd\n")
        screen.shows(b"student")
        screen.shows(b"/home/student")


# --- files --------------------------------------------------------------------------------------
def test_what_is_written_is_read_back(place: places.Place) -> None:
    data = os.urandom(200_000)
    place.write("/root/some data.bin", data, 0o640)
    assert place.read("/root/some data.bin", len(data)) == data
    assert place.run(["stat", "-c", "%a", "/root/some data.bin"]).output == b"640\n"
    place.write("/root/some data.bin", b"")
    assert place.read("/root/some data.bin", 0) == b""


def test_files_written_to_tmp_are_seen_by_programs(place: places.Place) -> None:
    place.write("/tmp/seen", b"yes")
    assert place.run(["cat", "/tmp/seen"]).output == b"yes"


@pytest.mark.parametrize("path", ["/no/such/file", "/tmp", "/dev/zero", "relative", "/root/pipe"])
def test_only_regular_files_are_read(place: places.Place, path: str) -> None:
    place.run(["sh", "-c", "[ -p /root/pipe ] || mkfifo /root/pipe"])
    with pytest.raises(places.PlaceError):
        place.read(path, 1000)


def test_a_file_larger_than_asked_for_is_an_error(place: places.Place) -> None:
    place.write("/root/four", b"1234")
    assert place.read("/root/four", 4) == b"1234"
    with pytest.raises(places.PlaceError):
        place.read("/root/four", 3)


def test_a_folder_is_not_overwritten(place: places.Place) -> None:
    with pytest.raises(places.PlaceError):
        place.write("/root", b"no")
    assert place.run(["test", "-d", "/root"]).code == 0


def test_a_link_in_the_machine_never_leads_out_of_it(place: places.Place) -> None:
    name = str(Path(__file__).resolve())
    place.run(["ln", "-sf", name, "/root/link"])
    with pytest.raises(places.PlaceError):
        place.read("/root/link", 1 << 20)


# --- ports --------------------------------------------------------------------------------------
def _get(line: socket.socket, path: str) -> bytes:
    line.settimeout(10)
    line.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    said = b""
    while piece := line.recv(65536):
        said += piece
    line.close()
    return said


def test_a_server_on_the_machines_own_loopback_is_reached(
    rig: rigs.Rig, place: places.Place
) -> None:
    words = [*rig.server, f"127.0.0.1:{_PORT}" if rig.server[0] == "httpd" else f"{_PORT}"]
    place.run(["sh", "-c", '"$@" >/dev/null 2>&1 </dev/null &', "sh", *words])

    def answers() -> bool:
        try:
            return b"root:" in _get(place.connect(_PORT), "/passwd")
        except places.PlaceError:
            return False

    _until("the server answers", answers)


def test_a_port_nobody_listens_on_is_a_plain_error(place: places.Place) -> None:
    began = time.monotonic()
    with pytest.raises(places.PlaceError):
        place.connect(9)
    assert time.monotonic() - began < 30


def test_the_loopback_of_the_host_is_not_the_machines(place: places.Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(places.PlaceError):
            place.connect(port)


# --- terminals ----------------------------------------------------------------------------------
def test_a_terminal_has_the_size_asked_for_and_follows_resizes(place: places.Place) -> None:
    with screens.opened(place.terminal(None, 101, 31)) as screen:
        screen.type("stty size\n")
        screen.shows(b"31 101")
        screen.terminal.resize(132, 50)
        screen.type("stty size\n")
        screen.shows(b"50 132")


def test_a_terminal_is_a_tty_of_its_own_machine(place: places.Place) -> None:
    command = ["sh", "-c", "tty; exec 3<>$(tty) && echo good"]
    with screens.opened(place.terminal(command, 80, 24)) as screen:
        screen.shows(b"good")
        assert screen.said.startswith(b"/dev/pts/")


def test_a_terminal_does_not_block_its_reader(place: places.Place) -> None:
    quiet = place.terminal(["sleep", "30"], 80, 24)
    with screens.opened(quiet), pytest.raises(BlockingIOError):
        os.read(quiet.fileno(), 1)


def test_a_terminals_command_runs_and_its_end_is_the_end(place: places.Place) -> None:
    with screens.opened(place.terminal(["sh", "-c", "echo only this"], 80, 24)) as screen:
        screen.ends()
        assert screen.said == b"only this\r\n"


def test_a_terminal_for_no_such_command_is_a_plain_error(place: places.Place) -> None:
    with pytest.raises(places.PlaceError, match="no-such-command"):
        place.terminal(["no-such-command"], 80, 24)


def test_control_c_reaches_the_program(rig: rigs.Rig, place: places.Place) -> None:
    with screens.opened(place.terminal(None, 80, 24)) as screen:
        screen.type("sleep 73; echo over\n")
        _until("it runs", lambda: b"sleep 73" in _processes(rig, place))
        screen.type("\x03echo still $((40+2))\n")
        screen.shows(b"still 42")


def test_hanging_up_ends_the_program_and_what_it_runs(rig: rigs.Rig, place: places.Place) -> None:
    terminal = place.terminal(None, 80, 24)
    screen = screens.Screen(terminal)
    screen.type("echo up; sleep 74\n")
    screen.shows(b"up")
    _until("it runs", lambda: b"sleep 74" in _processes(rig, place))
    terminal.close()
    terminal.close()
    _until("it is gone", lambda: b"sleep 74" not in _processes(rig, place))


def test_a_program_is_told_of_the_hang_up(place: places.Place) -> None:
    script = "trap 'echo bye >/root/told; exit' HUP; echo up; while :; do sleep 0.1; done"
    terminal = place.terminal(["sh", "-c", script], 80, 24)
    screens.Screen(terminal).shows(b"up")
    terminal.close()
    _until("it was told", lambda: place.run(["cat", "/root/told"]).output == b"bye\n")


def test_a_program_that_ignores_the_hang_up_still_ends(rig: rigs.Rig, place: places.Place) -> None:
    if "sees off" not in rig.can:
        pytest.skip("here such a program stays until its machine ends")
    script = "trap '' HUP; echo up; while :; do sleep 75; done"
    terminal = place.terminal(["sh", "-c", script], 80, 24)
    screens.Screen(terminal).shows(b"up")
    _until("it runs", lambda: b"sleep 75" in _processes(rig, place))
    terminal.close()
    _until("it is gone", lambda: b"while :; do sleep 75" not in _processes(rig, place))


def test_a_flood_of_output_arrives_whole(place: places.Place) -> None:
    total = 2_000_000
    with screens.opened(place.terminal(["head", "-c", str(total), "/dev/zero"], 80, 24)) as screen:
        screen.ends()
        assert len(screen.said) == total


def test_a_terminal_ends_with_its_machine(real: rigs.Rig, orders: rigs.Orders) -> None:
    made = real.provider.create(orders())
    with screens.opened(real.place(made.label).terminal(None, 80, 24)) as screen:
        screen.type("echo $((1+1))\n")
        screen.shows(b"2")
        real.provider.delete(made.id)
        screen.ends()


# --- gone ---------------------------------------------------------------------------------------
def test_a_place_outlives_its_machine_only_as_an_answer(
    real: rigs.Rig, orders: rigs.Orders
) -> None:
    made = real.provider.create(orders())
    place = real.place(made.label)
    real.provider.delete(made.id)
    with pytest.raises(places.NoSuchMachine):
        real.place(made.label)
    with pytest.raises((places.NoSuchMachine, places.PlaceError)):
        place.run(["true"])
    with pytest.raises((places.NoSuchMachine, places.PlaceError)):
        place.connect(_PORT)
