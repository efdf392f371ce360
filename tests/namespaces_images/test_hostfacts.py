"""The facts about a host are found by trying, as root and as nobody, and leave nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from brihaspati.adapters.namespaces import hostfacts
from brihaspati.adapters.namespaces.hostfacts import Fact

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="trying what root can do needs root")
NOBODY = 65534
STAYS_SECONDS = 60  # longer than any trial goes on
PROGRAM = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from brihaspati.adapters.namespaces import hostfacts
facts = hostfacts.inspect(Path(sys.argv[1]), [])
print(json.dumps([[asdict(f) for f in facts], hostfacts.isolation(facts)]))
"""


def by_name(facts: list[Fact]) -> dict[str, Fact]:
    assert len({fact.name for fact in facts}) == len(facts)
    return {fact.name: fact for fact in facts}


def traces() -> set[str]:
    """What a trial could leave on the host, of others' trials too."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    found = {row for row in mounts if "trial" in row}
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with suppress(OSError):
            if "trial" in (file := backing.read_text()):
                found.add(file)
    for at, names, _ in os.walk("/sys/fs/cgroup"):  # which minds no group that goes meanwhile
        found.update(f"{at}/{name}" for name in names if name.startswith("trial-"))
    return found


def left() -> set[str]:
    """What is there now and stays: servers that other tests start try the host out as well."""
    found, ends = traces(), time.monotonic() + STAYS_SECONDS
    while found and time.monotonic() < ends:
        found &= traces()
    return found


@pytest.mark.root
@needs_root
def test_this_host_can_run_labs_and_trying_it_leaves_nothing(tmp_path: Path) -> None:
    facts = by_name(hostfacts.inspect(tmp_path / "not" / "there"))
    needed = ("root", "namespaces", "owners", "overlay", "cgroups", "seccomp", "tmpfs")
    assert {name: facts[name].text for name in needed if facts[name].verdict != "ok"} == {}
    assert hostfacts.isolation(facts.values()).startswith("namespaces: a lab's root is nobody")
    assert list(tmp_path.iterdir()) == []
    assert left() == set()


@pytest.mark.root
@needs_root
def test_nobody_is_told_what_takes_root_and_what_does_not(tmp_path: Path) -> None:
    if not Path("/usr/bin/python3").exists():
        pytest.skip("no Python that everybody may run")
    # A place nobody may read, as he may not the folders of whoever installed us.
    code = tmp_path / "code"
    source = Path(hostfacts.__file__).parents[3]
    shutil.copytree(source, code, ignore=shutil.ignore_patterns("__pycache__"))
    place = Path("/tmp") / f"brihaspati-nobody-{os.getpid()}"
    place.mkdir()
    try:
        shutil.copytree(code, place / "code")
        (place / "data").mkdir()
        for path in [place, *place.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        done = subprocess.run(
            ["/usr/bin/python3", "-c", PROGRAM, str(place / "data")],
            env={"PYTHONPATH": str(place / "code"), "PATH": "/usr/bin:/bin"},
            user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        rows, sentence = json.loads(done.stdout)
        facts = by_name([Fact(**row) for row in rows])
        assert facts["root"].verdict != "ok"
        assert facts["root"].fix is not None
        assert (facts["owners"].verdict, facts["cgroups"].verdict) == ("warn", "warn")
        assert (facts["seccomp"].verdict, facts["disk"].verdict) == ("ok", "ok")
        assert not sentence.startswith("namespaces")
        assert list((place / "data").iterdir()) == []
    finally:
        shutil.rmtree(place)


def test_a_folder_we_cannot_write_to_is_missing() -> None:
    facts = by_name(hostfacts.inspect(Path("/proc/brihaspati"), []))
    assert facts["data folder"].verdict == "missing"
    assert facts["file system"].verdict == "warn"
    assert "proc" in facts["file system"].text


@contextmanager
def listening(path: Path, answer: bytes) -> Iterator[str]:
    """A socket that gives everybody this answer."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            with suppress(OSError):
                while True:
                    line, _ = server.accept()
                    with line:
                        line.recv(1000)
                        line.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield str(path)
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (b"HTTP/1.0 200 OK\r\nServer: Docker/20\r\n\r\nOK", "ok", "Docker answers at"),
        (b"HTTP/1.0 200 OK\r\nServer: Libpod/4\r\n\r\nOK", "ok", "Podman answers at"),
        (b"HTTP/1.0 500 Oh\r\n\r\n", "warn", "500"),
        (b"", "warn", "nothing"),
    ],
)
def test_an_engine_counts_only_if_it_answers(
    tmp_path: Path, answer: bytes, verdict: str, words: str
) -> None:
    with listening(tmp_path / "s", answer) as path:
        facts = by_name(hostfacts.inspect(tmp_path, [str(tmp_path / "none"), path]))
    assert facts["container engine"].verdict == verdict
    assert words in facts["container engine"].text


def test_a_socket_nobody_listens_on_is_no_engine(tmp_path: Path) -> None:
    with listening(tmp_path / "s", b"x") as path:
        pass
    fact = by_name(hostfacts.inspect(tmp_path, [path]))["container engine"]
    assert (fact.verdict, "refused" in fact.text) == ("warn", True)


def test_virtual_machines_are_not_judged_by_their_device(tmp_path: Path) -> None:
    fact = by_name(hostfacts.inspect(tmp_path, []))["virtual machines"]
    assert fact.verdict == "ok"
    assert ("only starting a guest would tell" in fact.text) == Path("/dev/kvm").exists()


@pytest.mark.parametrize(
    ("version", "sound"),
    [
        ((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 45, 0), False),
        ((3, 50, 6), False), ((3, 50, 7), True), ((3, 51, 2), False), ((3, 51, 3), True),
        ((3, 52, 0), True), ((3, 6, 23), True), ((4, 0, 0), True),
    ],
)  # fmt: skip
def test_the_versions_of_sqlite_with_the_bug_are_known(
    version: tuple[int, ...], *, sound: bool
) -> None:
    assert hostfacts._wal_is_sound(version) is sound
    assert ("WAL-reset" in hostfacts._sqlite(version).text) is not sound


@pytest.mark.parametrize(
    ("text", "words"), [("0\n", "work"), ("2\n", "do not work"), (None, "no Yama")]
)
def test_tracing_is_told_as_the_kernel_says(tmp_path: Path, text: str | None, words: str) -> None:
    switch = tmp_path / "scope"
    if text is not None:
        switch.write_text(text)
    assert words in hostfacts._tracing(switch).text


def _all(verdict: hostfacts.Verdict, *but: Fact) -> list[Fact]:
    names = ("root", *hostfacts._NEEDED, "container engine", "bubblewrap")
    changed = {fact.name: fact for fact in but}
    return [changed.get(name, Fact(name, verdict, "")) for name in names]


def test_the_sentence_names_the_best_provider_and_its_limits() -> None:
    assert "share the host's kernel" in hostfacts.isolation(_all("ok"))
    no_root = Fact("root", "warn", "")
    assert hostfacts.isolation(_all("ok", no_root)).startswith("docker: ")
    no_engine = Fact("container engine", "warn", "")
    walls = hostfacts.isolation(_all("ok", no_root, no_engine))
    assert walls.startswith("bubblewrap: ")
    assert "nothing limits" in walls
    assert "trusted use only" in walls
    assert hostfacts.isolation(_all("missing")).startswith("nothing here can isolate")
    no_seccomp = Fact("seccomp", "missing", "")
    assert not hostfacts.isolation(_all("ok", no_seccomp)).startswith("namespaces")


def test_another_system_is_sent_to_docker(tmp_path: Path) -> None:
    facts = hostfacts.inspect(tmp_path, system="Darwin")
    assert [(fact.verdict, fact.fix) for fact in facts] == [("missing", "use Docker here")]
