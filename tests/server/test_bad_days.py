"""Killed servers, killed keepers, hostile requests: nothing acknowledged is lost, nothing stays."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from attending import HELLO, Student
from brihaspati import wiring
from brihaspati.entrypoints.cli.client import ClientError, connect
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server
from commanding import run_in

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lasting() -> Iterator[FreshServer]:
    """A server whose labs outlive it for a minute."""
    with fresh_server(wiring.open_shop({}), seats=50, pool=0, keep_seconds=60) as started:
        yield started
        run_in(started.folder, "stop", "--all")


def nothing_runs(server: FreshServer) -> bool:
    """Whether no process is left below the keeper of labs."""
    found = []
    for pid in server.keepers():
        with contextlib.suppress(OSError):
            found += Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return not found


def test_a_killed_server_finds_its_labs_again_with_all_that_is_in_them(
    lasting: FreshServer,
) -> None:
    asha = Student(lasting, "Asha")
    asha.play()
    asha.type("echo kept > /root/work; echo wr''itten", "written")
    lasting.kill()
    lasting.start()
    assert asha.phase("ready") == "ready"
    asha.type("cat /root/work", "kept\r\n")


@pytest.mark.parametrize("seed", range(6))
def test_a_kill_at_any_moment_of_a_start_ends_well(lasting: FreshServer, seed: int) -> None:
    ravi = Student(lasting, f"Ravi {seed}")
    ravi.do(lambda portal: portal.send("PUT", HELLO))
    # How far it gets is chance: some have been asked, some are ready when the server dies.
    for _ in range(random.Random(seed).randrange(12)):
        ravi.do(lambda portal: portal.send("GET", HELLO))
    lasting.kill()
    lasting.start()
    assert ravi.phase("ready") == "ready"
    ravi.type("echo $((6*7))", "42")
    ravi.do(lambda portal: portal.send("DELETE", HELLO))
    assert ravi.phase("gone") == "gone"


def test_stop_all_leaves_nothing_behind(lasting: FreshServer) -> None:
    Student(lasting, "Meera").play()
    done = run_in(lasting.folder, "stop", "--all", "--json")
    assert done.returncode == 0, done.stderr
    assert nothing_runs(lasting)
    groups = [at for at, _, _ in os.walk("/sys/fs/cgroup")]  # which minds none that goes meanwhile
    assert not [at for at in groups if lasting.folder.name in at and "/bh-" in at]


def test_a_killed_keeper_fails_its_labs_in_words_and_play_works_again(
    lasting: FreshServer,
) -> None:
    kiran = Student(lasting, "Kiran")
    kiran.play()
    for pid in lasting.keepers():
        os.kill(pid, signal.SIGKILL)
    run_in(lasting.folder, "sweep")
    with pytest.raises(ClientError, match="stopped unexpectedly"):
        kiran.phase("gone")
    kiran.play()
    kiran.type("echo $((6*7))", "42")


def test_a_ticket_opens_one_terminal_once(lasting: FreshServer) -> None:
    uma = Student(lasting, "Uma")
    uma.play()
    ticket = uma.ticket()

    async def twice() -> None:
        wire = await connect(ticket, (80, 24))
        with pytest.raises(ClientError, match="used"):
            await connect(ticket, (80, 24))
        wire.close()

    asyncio.run(twice())


def test_a_ticket_from_before_a_restart_is_refused(lasting: FreshServer) -> None:
    tara = Student(lasting, "Tara")
    tara.play()
    ticket = tara.ticket()
    lasting.kill()
    lasting.start()
    ticket["url"] = lasting.address.replace("http", "ws") + "/agent/terminal"
    with pytest.raises(ClientError):
        asyncio.run(connect(ticket, (80, 24)))


def get(server: FreshServer, path: str, host: str | None = None) -> http.client.HTTPResponse:
    """One request with the path exactly as written."""
    line = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=30)
    line.putrequest("GET", path, skip_host=host is not None)
    if host is not None:
        line.putheader("Host", host)
    line.endheaders()
    answer = line.getresponse()
    answer.read()
    return answer


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/../../../../etc/passwd",
        "//etc/passwd",
    ],
)
def test_files_outside_the_web_app_are_never_served(lasting: FreshServer, path: str) -> None:
    answer = get(lasting, path)
    assert answer.status in (200, 400, 404)
    assert answer.headers.get_content_type() in ("text/html", "text/plain")
    assert "immutable" not in (answer.headers["Cache-Control"] or "")


def test_an_old_chunk_is_not_found_and_an_app_path_is_the_page(lasting: FreshServer) -> None:
    assert get(lasting, "/assets/gone-12345.js").status == 404
    page = get(lasting, "/c/demo")
    assert page.status == 200
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.partition("style-src")[0]


@pytest.mark.parametrize("host", ["", "evil.example", "p80--nope.localhost", "p99999--x.localhost"])
def test_strange_host_names_get_no_lab_and_no_fault(lasting: FreshServer, host: str) -> None:
    assert get(lasting, "/", host).status < 500
