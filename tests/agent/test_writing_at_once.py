"""The files socket when several pages write, and when a shell would take a name for another."""

from __future__ import annotations

import base64
import hashlib
import pathlib
from typing import Any

from agent import stage


def _write(path: str, data: bytes, **more: str) -> dict[str, Any]:
    text = base64.b64encode(data).decode()
    return {"id": 7, "op": "write", "path": path, "data": text, **more}


def test_of_those_who_replace_the_same_version_at_once_one_wins(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"as read")
    version = hashlib.sha256(b"as read").hexdigest()

    async def scenario() -> None:
        async with stage.staged() as agent:
            pages = [await agent.files() for _ in range(4)]
            for number, page in enumerate(pages):
                page.say(_write(str(path), b"page %d" % number, version=version))
            answers = []
            for page in pages:
                await page.until(lambda: "ok" in page.texts[-1])  # noqa: B023
                answers.append(page.texts[-1])
            won = [number for number, answer in enumerate(answers) if answer["ok"]]
            assert len(won) == 1, answers
            assert path.read_bytes() == b"page %d" % won[0]
            assert {a["kind"] for a in answers if not a["ok"]} == {"changed"}

    stage.play(scenario)


def test_a_line_break_at_the_end_of_a_name_never_means_another_file(
    tmp_path: pathlib.Path,
) -> None:
    (tmp_path / "a").write_bytes(b"kept")

    async def scenario() -> None:
        async with stage.staged() as agent:
            page = await agent.files()
            page.say(_write(f"{tmp_path}/a\n", b"lost"))
            await page.until(lambda: "ok" in page.texts[-1])
            assert page.texts[-1]["ok"] is False
            assert (tmp_path / "a").read_bytes() == b"kept"

    stage.play(scenario)
