"""What the agent does in a lab: terminals, commands, files, ports."""

from __future__ import annotations

import time

import pytest

from brihaspati_agent import places
from namespaces import rigs

pytestmark = pytest.mark.root

_SERVER = """
import socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"lab says " + self.rfile.readline())
socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer(("127.0.0.1", 80), Echo).serve_forever()
"""


def test_a_terminal_is_a_login_shell_of_the_machines_user_on_a_tty_of_the_lab(
    rig: rigs.Rig,
) -> None:
    inside = rig.lab(user="student", environment=(("COURSE", "unix 101"),))
    screen = rigs.Screen(inside.terminal(None, 100, 30))
    screen.shows("student@lab")
    screen.type(
        "id -un; tty; stat -c %U:%G:%a $(tty); stty size; "
        "echo $TERM:$HOME:$LANG:$COURSE:; shopt -q login_shell && echo in\n"
    )
    screen.shows("in\r\n")
    for text in ("student\r\n", "student:tty:620\r\n", "/dev/pts/0\r\n", "30 100\r\n"):
        screen.shows(text)
    screen.shows("xterm-256color:/home/student:C.UTF-8:unix 101:")
    screen.terminal.close()


def test_a_terminal_is_told_its_new_size(rig: rigs.Rig) -> None:
    screen = rigs.Screen(rig.lab().terminal(None, 80, 24))
    screen.shows("# ")
    screen.terminal.resize(132, 50)
    screen.type("stty size\n")
    screen.shows("50 132")
    screen.terminal.close()


def test_ctrl_c_ends_the_program_in_front(rig: rigs.Rig) -> None:
    program = "trap 'echo caught; exit' INT; echo ready; while :; do sleep 0.1; done"
    screen = rigs.Screen(rig.lab().terminal(["sh", "-c", program], 80, 24))
    screen.shows("ready")
    screen.type("\x03")
    screen.shows("caught")
    screen.ends()
    screen.terminal.close()


def test_closing_a_terminal_hangs_up_its_program(rig: rigs.Rig) -> None:
    inside = rig.lab()
    terminal = inside.terminal(["sleep", "7777"], 80, 24)
    rigs.until(lambda: inside.run(["pgrep", "-f", "^sleep 7777"]).code == 0)
    terminal.close()
    terminal.close()
    rigs.until(lambda: inside.run(["pgrep", "-f", "^sleep 7777"]).code == 1)


def test_a_terminal_ends_with_its_program(rig: rigs.Rig) -> None:
    screen = rigs.Screen(rig.lab().terminal(["sh", "-c", "echo bye"], 80, 24))
    screen.ends()
    assert b"bye" in screen.bytes
    screen.terminal.close()


def test_a_terminal_ends_with_its_lab(rig: rigs.Rig) -> None:
    label = rig.label()
    screen = rigs.Screen(rig.provider.place(label).terminal(None, 80, 24))
    rig.provider.delete(label)
    screen.ends()
    screen.terminal.close()


def test_a_terminal_for_no_program_is_an_error(rig: rigs.Rig) -> None:
    with pytest.raises(places.PlaceError, match="no-such-thing"):
        rig.lab().terminal(["no-such-thing"], 80, 24)


def test_a_command_has_input_output_error_and_a_status(rig: rigs.Rig) -> None:
    ended = rig.lab().run(
        ["sh", "-c", "tr a-z A-Z; echo oops >&2; exit 3"], stdin=b"hello" * 50_000
    )
    assert ended.code == 3
    assert ended.output == b"HELLO" * 13107 + b"H"
    assert ended.error == b"oops\n"
    assert ended.truncated
    assert not ended.timed_out


def test_a_command_that_reads_nothing_does_not_hold_us(rig: rigs.Rig) -> None:
    assert rig.lab().run(["true"], stdin=b"x" * 1_000_000).code == 0


def test_a_command_is_ended_when_its_time_is_over(rig: rigs.Rig) -> None:
    inside = rig.lab()
    began = time.monotonic()
    ended = inside.run(["sh", "-c", "echo first; sleep 5555; echo never"], timeout_seconds=1.5)
    assert time.monotonic() - began < 60
    assert (ended.timed_out, ended.output) == (True, b"first\n")
    rigs.until(lambda: inside.run(["pgrep", "-f", "^sleep 5555"]).code == 1)


def test_a_signal_is_told_as_a_negative_status(rig: rigs.Rig) -> None:
    assert rig.lab().run(["sh", "-c", "kill -TERM $$"]).code == -15


def test_a_child_left_behind_does_not_hold_the_answer_up(rig: rigs.Rig) -> None:
    began = time.monotonic()
    ended = rig.lab().run(["sh", "-c", "sleep 300 & echo done"])
    assert ended.output == b"done\n"
    assert time.monotonic() - began < 60


def test_a_command_runs_as_the_user_asked_for(rig: rigs.Rig) -> None:
    inside = rig.lab(user="student")
    assert rigs.said(inside, ["id", "-un"]) == "student\n"
    assert rigs.said(inside, ["id", "-un"], user="root") == "root\n"
    with pytest.raises(places.PlaceError, match="nobody-here"):
        inside.run(["id"], user="nobody-here")


def test_standard_output_may_be_opened_again_by_its_user(rig: rigs.Rig) -> None:
    inside = rig.lab(user="student")
    assert rigs.said(inside, ["sh", "-c", "echo again > /dev/stdout"]) == "again\n"


def test_orphans_are_reaped_by_the_lab_itself(rig: rigs.Rig) -> None:
    inside = rig.lab()
    rigs.said(inside, ["sh", "-c", "for i in 1 2 3 4 5; do (sleep 0.05 &) ; done"])
    rigs.until(lambda: inside.run(["pgrep", "-c", "sleep"]).output == b"1\n")  # process 1
    assert "Z" not in rigs.said(inside, ["ps", "axo", "stat="])


def test_a_written_file_is_read_back_whole(rig: rigs.Rig) -> None:
    inside = rig.lab(user="student")
    data = bytes(range(256)) * 1000
    inside.write("/home/student/data", data, 0o640)
    assert inside.read("/home/student/data", len(data)) == data
    assert rigs.said(inside, ["stat", "-c", "%U %a", "/home/student/data"]) == "student 640\n"
    assert rigs.said(inside, ["ls", "-A", "/tmp"]) == ""
    with pytest.raises(places.PlaceError, match="larger"):
        inside.read("/home/student/data", len(data) - 1)


def test_files_obey_the_rights_of_the_machines_user(rig: rigs.Rig) -> None:
    inside = rig.lab(user="student", setup="echo flag > /root/flag")
    with pytest.raises(places.PlaceError, match="permission denied"):
        inside.read("/root/flag", 100)
    with pytest.raises(places.PlaceError, match="permission denied"):
        inside.write("/etc/passwd", b"")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/no/such/file", "no such file"),
        ("/etc", "not a regular file"),
        ("/tmp/pipe", "not a regular file"),
        ("/dev/zero", "not a regular file"),
        ("relative", "not an absolute path"),
    ],
)
def test_only_regular_files_are_read_and_nothing_ever_blocks(
    rig: rigs.Rig, path: str, says: str
) -> None:
    inside = rig.lab(setup="mkfifo /tmp/pipe")
    began = time.monotonic()
    with pytest.raises(places.PlaceError, match=says):
        inside.read(path, 100)
    with pytest.raises(places.PlaceError):
        inside.write("/tmp/pipe", b"x")
    assert time.monotonic() - began < 60


def test_a_passwd_that_is_a_pipe_does_not_hold_the_keeper(rig: rigs.Rig) -> None:
    inside = rig.lab()
    rigs.said(inside, ["sh", "-c", "rm /etc/passwd && mkfifo /etc/passwd"])
    assert rigs.said(inside, ["id", "-u"]) == "0\n"


def test_a_link_leads_to_the_labs_file_and_never_to_the_hosts(rig: rigs.Rig) -> None:
    inside = rig.lab(setup="ln -s ../../../../../../etc/hostname /tmp/link")
    assert inside.read("/tmp/link", 100) == b"lab\n"


@pytest.mark.parametrize("number", [0, 1, 2])
def test_reading_a_file_never_opens_what_the_keeper_writes_to(rig: rigs.Rig, number: int) -> None:
    inside = rig.lab(setup=f"ln -s /proc/self/fd/{number} /tmp/link")
    for path in (f"/proc/self/fd/{number}", "/tmp/link", "/proc/self/exe"):
        with pytest.raises(places.PlaceError, match="symbolic links"):
            inside.read(path, 1 << 20)


def test_a_port_of_the_lab_is_reached_from_the_host(rig: rigs.Rig) -> None:
    inside = rig.lab(user="student")
    terminal = inside.terminal(["python3", "-c", _SERVER], 80, 24)
    answers: list[bytes] = []

    def answered() -> bool:
        try:
            connection = inside.connect(80)
        except places.PlaceError:
            return False
        with connection:
            connection.sendall(b"hello\n")
            answers.append(connection.makefile("rb").readline())
        return True

    rigs.until(answered)
    assert answers == [b"lab says hello\n"]
    terminal.close()


def test_a_port_nobody_listens_on_is_an_error(rig: rigs.Rig) -> None:
    with pytest.raises(places.PlaceError, match="port 9"):
        rig.lab().connect(9)
