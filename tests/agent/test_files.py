"""The files socket, on this machine and with nothing but busybox for programs."""

from __future__ import annotations

import base64
import hashlib
import os
import pathlib
import shutil
import stat
import subprocess
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from agent import stage
from brihaspati_agent import files, local, places

_BUSYBOX = shutil.which("busybox")


class BusyboxPlace(local.LocalPlace):
    """This machine, but its shell and all programs are busybox."""

    def __init__(self, applets: pathlib.Path) -> None:
        super().__init__()
        self._shell_here = str(applets / "sh")
        self._env = {"PATH": str(applets), "HOME": self._env["HOME"]}

    def run(self, argv: Any, **more: Any) -> places.Outcome:
        return super().run([self._shell_here, *argv[1:]], **more)


@pytest.fixture(params=["this machine", "busybox"])
def at(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> places.Places:
    """Where the files are."""
    if request.param == "this machine":
        return stage.anywhere
    if _BUSYBOX is None:
        pytest.skip("there is no busybox here")
    applets = tmp_path_factory.mktemp("applets")
    subprocess.run([_BUSYBOX, "--install", "-s", str(applets)], check=True)
    return lambda _label: BusyboxPlace(applets)


Ask = Callable[..., Coroutine[Any, Any, dict[str, Any]]]


def _work(at: places.Places, scenario: Callable[[Ask], Coroutine[Any, Any, None]]) -> None:
    """Play a scenario that asks one files socket."""

    async def whole() -> None:
        async with stage.staged(at) as agent:
            client = await agent.files()

            async def ask(**request: Any) -> dict[str, Any]:
                client.say({"id": 7, **request})
                count = len(client.texts)
                await client.until(lambda: len(client.texts) > count)
                answer = client.texts[-1]
                assert answer.pop("id") == 7
                return answer

            await scenario(ask)

    stage.play(whole)


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _names(folder: pathlib.Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_folder_is_listed_folders_first(at: places.Places, tmp_path: pathlib.Path) -> None:
    (tmp_path / "b folder").mkdir()
    (tmp_path / "A.txt").write_bytes(b"12345")
    (tmp_path / "A.txt").chmod(0o640)
    (tmp_path / ".hidden").touch()
    (tmp_path / "-rf $HOME 'ü").touch()
    (tmp_path / "link").symlink_to("b folder")
    (tmp_path / "astray").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")

    async def scenario(ask: Ask) -> None:
        answer = await ask(op="list", path=str(tmp_path))
        assert answer["ok"] is True
        assert answer["path"] == str(tmp_path)
        assert answer["truncated"] is False
        listed = [(e["name"], e["kind"], e["link"]) for e in answer["entries"]]
        assert listed == [
            ("b folder", "folder", False),
            ("link", "folder", True),
            ("-rf $HOME 'ü", "file", False),
            (".hidden", "file", False),
            ("A.txt", "file", False),
            ("astray", "other", False),
            ("pipe", "other", False),
        ]
        a_text = answer["entries"][4]
        assert (a_text["size"], a_text["mode"]) == (5, 0o640)

    _work(at, scenario)


def test_without_a_path_the_home_folder_is_listed(at: places.Places) -> None:
    home = str(pathlib.Path.home().resolve())

    async def scenario(ask: Ask) -> None:
        assert (await ask(op="list"))["path"] == home

    _work(at, scenario)


def test_names_that_no_page_can_show_are_left_out(
    at: places.Places, tmp_path: pathlib.Path
) -> None:
    for name in (b"two\nlines", b"latin\xff", b"plain"):
        (pathlib.Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).touch()

    async def scenario(ask: Ask) -> None:
        answer = await ask(op="list", path=str(tmp_path))
        names = [entry["name"] for entry in answer["entries"]]
        assert "plain" in names
        assert "two\nlines" not in names
        assert not any("\udcff" in name or "latin" in name for name in names)

    _work(at, scenario)


def test_a_folder_with_very_many_files_is_cut_off(
    at: places.Places, tmp_path: pathlib.Path
) -> None:
    for number in range(files.ENTRIES_MAX + 10):
        (tmp_path / f"{number:05}").touch()

    async def scenario(ask: Ask) -> None:
        answer = await ask(op="list", path=str(tmp_path))
        assert answer["truncated"] is True
        assert len(answer["entries"]) == files.ENTRIES_MAX

    _work(at, scenario)


def test_a_file_is_read_with_its_version(at: places.Places, tmp_path: pathlib.Path) -> None:
    text = "größe\nohne Ende".encode()
    (tmp_path / "a").write_bytes(text)
    (tmp_path / "a").chmod(0o600)

    async def scenario(ask: Ask) -> None:
        assert await ask(op="read", path=str(tmp_path / "a")) == {
            "ok": True,
            "size": len(text),
            "mode": 0o600,
            "writable": True,
            "large": False,
            "data": _base64(text),
            "binary": False,
            "version": _version(text),
        }

    _work(at, scenario)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"text with a \x00"])
def test_what_is_no_text_is_called_binary(
    at: places.Places, tmp_path: pathlib.Path, data: bytes
) -> None:
    (tmp_path / "a").write_bytes(data)

    async def scenario(ask: Ask) -> None:
        answer = await ask(op="read", path=str(tmp_path / "a"))
        assert (answer["binary"], answer["data"]) == (True, _base64(data))

    _work(at, scenario)


def test_a_file_up_to_the_limit_is_read_and_a_larger_one_is_called_large(
    at: places.Places, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "just").write_bytes(b"x" * files.FILE_BYTES_MAX)
    (tmp_path / "over").write_bytes(b"x" * (files.FILE_BYTES_MAX + 1))

    async def scenario(ask: Ask) -> None:
        just = await ask(op="read", path=str(tmp_path / "just"))
        assert len(base64.b64decode(just["data"])) == files.FILE_BYTES_MAX
        over = await ask(op="read", path=str(tmp_path / "over"))
        assert (over["large"], over["size"]) == (True, files.FILE_BYTES_MAX + 1)
        assert "data" not in over

    _work(at, scenario)


def test_a_write_keeps_the_mode_and_follows_links(
    at: places.Places, tmp_path: pathlib.Path
) -> None:
    target = tmp_path / "run me"
    target.write_bytes(b"old")
    target.chmod(0o751)
    (tmp_path / "link").symlink_to("run me")

    async def scenario(ask: Ask) -> None:
        data = bytes(range(256)) * 2000
        answer = await ask(
            op="write", path=str(tmp_path / "link"), data=_base64(data), version=_version(b"old")
        )
        assert answer == {"ok": True, "version": _version(data)}
        assert (tmp_path / "link").is_symlink()
        assert target.read_bytes() == data
        assert stat.S_IMODE(target.stat().st_mode) == 0o751
        assert sorted(_names(tmp_path)) == ["link", "run me"]

    _work(at, scenario)


def test_what_the_shell_changed_meanwhile_is_not_overwritten(
    at: places.Places, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"as read")

    async def scenario(ask: Ask) -> None:
        path.write_bytes(b"by the shell")
        mine = {"op": "write", "path": str(path), "data": _base64(b"mine")}
        refused = await ask(**mine, version=_version(b"as read"))
        assert (refused["ok"], refused["kind"]) == (False, "changed")
        assert path.read_bytes() == b"by the shell"
        path.unlink()
        assert (await ask(**mine, version=_version(b"as read")))["kind"] == "changed"
        assert not path.exists()
        assert (await ask(**mine, version="new"))["ok"] is True
        assert (await ask(**mine, version="new"))["ok"] is True, "the same again is no conflict"
        other = {**mine, "data": _base64(b"other")}
        assert (await ask(**other, version="new"))["kind"] == "exists"
        assert (await ask(**other))["ok"] is True
        assert path.read_bytes() == b"other"

    _work(at, scenario)


def test_a_new_file_has_an_ordinary_mode(at: places.Places, tmp_path: pathlib.Path) -> None:
    async def scenario(ask: Ask) -> None:
        answer = await ask(op="write", path=str(tmp_path / "a"), data="", version="new")
        assert answer == {"ok": True, "version": _version(b"")}
        mask = os.umask(0)
        os.umask(mask)
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~mask

    _work(at, scenario)


def test_folders_and_names(at: places.Places, tmp_path: pathlib.Path) -> None:
    async def scenario(ask: Ask) -> None:
        new, there = str(tmp_path / "new"), str(tmp_path / "there")
        assert await ask(op="mkdir", path=new) == {"ok": True}
        assert (await ask(op="mkdir", path=new))["kind"] == "exists"
        (tmp_path / "new" / "inside").touch()
        (tmp_path / "there").touch()
        assert (await ask(op="rename", path=new, to=there))["kind"] == "exists"
        assert await ask(op="remove", path=there) == {"ok": True}
        assert await ask(op="rename", path=new, to=there) == {"ok": True}
        assert (tmp_path / "there" / "inside").exists()
        assert await ask(op="remove", path=there) == {"ok": True}
        assert not (tmp_path / "there").exists()
        assert (await ask(op="remove", path=there))["kind"] == "missing"

    _work(at, scenario)


def test_what_cannot_be_done_says_which_kind_it_is(
    at: places.Places, tmp_path: pathlib.Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    here = str(tmp_path)
    kinds: list[tuple[dict[str, Any], str]] = [
        ({"op": "list", "path": f"{here}/none"}, "missing"),
        ({"op": "list", "path": f"{here}/file"}, "wrong_kind"),
        ({"op": "read", "path": f"{here}/none"}, "missing"),
        ({"op": "read", "path": here}, "wrong_kind"),
        ({"op": "read", "path": f"{here}/pipe"}, "special"),
        ({"op": "write", "path": here, "data": ""}, "wrong_kind"),
        ({"op": "write", "path": f"{here}/none/a", "data": ""}, "missing"),
        ({"op": "write", "path": f"{here}/pipe", "data": ""}, "special"),
        ({"op": "write", "path": f"{here}/file", "data": "", "version": "7"}, "problem"),
        ({"op": "write", "path": f"{here}/file"}, "problem"),
        ({"op": "rename", "path": f"{here}/none", "to": f"{here}/x"}, "missing"),
        ({"op": "rename", "path": f"{here}/file", "to": "x"}, "problem"),
        ({"op": "remove", "path": "/"}, "denied"),
        ({"op": "remove", "path": "//."}, "denied"),
        ({"op": "mkdir", "path": f"{here}/none/a"}, "problem"),
        ({"op": "read", "path": "relative"}, "problem"),
        ({"op": "run", "argv": ["id"]}, "problem"),
    ]

    async def scenario(ask: Ask) -> None:
        for request, kind in kinds:
            answer = await ask(**request)
            assert (answer["ok"], answer["kind"]) == (False, kind), (request, answer)

    _work(at, scenario)


def test_a_full_disk_leaves_the_old_file(at: places.Places, tmp_path: pathlib.Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(tmp_path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        (tmp_path / "a").write_bytes(b"old")

        async def scenario(ask: Ask) -> None:
            answer = await ask(op="write", path=str(tmp_path / "a"), data=_base64(b"x" * 100_000))
            assert answer["ok"] is False
            assert "No space left" in answer["problem"]
            assert _names(tmp_path) == ["a"]
            assert (tmp_path / "a").read_bytes() == b"old"

        _work(at, scenario)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_pings_are_answered_and_work_counts_as_a_sign_of_life(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").touch()

    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.files()

            async def done(**request: Any) -> None:
                count = len(client.texts)
                client.say({"id": 1, **request})
                await client.until(lambda: len(client.texts) > count)

            await done(op="ping")
            await done(op="list", path=str(tmp_path))
            assert agent.hub.heartbeat("abc234").last_input_at is None
            await done(op="read", path=str(tmp_path / "a"))
            assert agent.hub.heartbeat("abc234").last_input_at == agent.clock()

    stage.play(scenario)


@pytest.mark.parametrize("may", ["terminal", "watch", "control", "preview"])
def test_other_tickets_do_not_open_the_files(may: str) -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.connect("/agent/files")
            client.say({"ticket": agent.signer.ticket(may=[may])})
            assert (await client.is_closed())[0] == 4401

    stage.play(scenario)


def test_the_files_end_with_the_sandbox() -> None:
    async def scenario() -> None:
        async with stage.staged() as agent:
            client = await agent.files()
            await agent.hub.end("abc234", "time is up")
            assert await client.is_closed() == (4410, "time is up")

    stage.play(scenario)
