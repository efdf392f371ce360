"""The agent of a machine of its own: terminals and previews on one HTTPS port, pure Python."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from pathlib import Path

import aiohttp
import pytest

import loopback
from agent import machines, stage


def test_a_terminal_opens_over_https_and_echoes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with machines.machine(tmp_path) as there:
            headers = {"Origin": stage.PORTAL}
            async with there.client.ws_connect(
                there.at("/agent/terminal", scheme="wss"), headers=headers
            ) as line:
                await line.send_str(machines.first(there.signer.ticket()))
                hello = json.loads((await line.receive(timeout=stage.PATIENCE_SECONDS)).data)
                assert hello["type"] == "hello"
                await line.send_bytes(b"\x00expr 6 '*' 7\n")
                await machines.output_until(line, b"42")
                await line.send_bytes(b"\x03here")
                said = b""
                while said[:1] != b"\x03":
                    said = (await line.receive(timeout=stage.PATIENCE_SECONDS)).data
                assert said == b"\x03here"

    machines.play(scenario)


def test_much_output_and_long_input_pass_whole(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with machines.machine(tmp_path) as there:
            ticket = there.signer.ticket(may=["control"])
            async with there.client.ws_connect(there.at("/agent/control", scheme="wss")) as line:
                await line.send_json({"ticket": ticket})
                await line.receive(timeout=stage.PATIENCE_SECONDS)
                script = "cat; head -c 200000 /dev/zero | tr '\\0' x"
                request = {"id": 1, "op": "run", "argv": ["sh", "-c", script], "stdin": "aGk="}
                await line.send_json(request)
                answer = json.loads((await line.receive(timeout=stage.PATIENCE_SECONDS)).data)
                assert (answer["code"], len(answer["output"])) == (0, 266672)

    machines.play(scenario)


@pytest.mark.parametrize(("origin", "code"), [("https://evil.example", 4403), (stage.PORTAL, 4401)])
def test_another_page_and_a_forged_ticket_are_refused(
    tmp_path: Path, origin: str, code: int
) -> None:
    async def scenario() -> None:
        async with (
            machines.machine(tmp_path) as there,
            there.client.ws_connect(
                there.at("/agent/terminal", scheme="wss"), headers={"Origin": origin}
            ) as line,
        ):
            with contextlib.suppress(ConnectionError):
                await line.send_str(machines.first(there.signer.ticket()[:-8] + "AAAAAAAA"))
            message = await line.receive(timeout=stage.PATIENCE_SECONDS)
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, code)

    machines.play(scenario)


def test_nothing_is_served_to_whoever_just_looks(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with machines.machine(tmp_path) as there:
            for path in ("/", "/agent/terminal", "/agent/nothing", "/robots.txt"):
                async with there.client.get(there.at(path)) as answer:
                    assert answer.status in (400, 404, 426), path

    machines.play(scenario)


def test_a_preview_is_an_origin_of_its_own_and_its_cookie_stays_from_the_application(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with machines.application() as port, machines.machine(tmp_path) as there:
            host = f"p{port}--abc234.{machines.HOST}"
            ticket = there.signer.ticket(may=["preview"], port=port, machine="main")
            async with there.client.get(there.at("/", host)) as answer:
                assert answer.status == 401
            opened = there.at(f"/_brihaspati/open?ticket={ticket}&to=/", host)
            async with there.client.get(opened) as answer:
                assert (answer.status, await answer.text()) == (200, "cookies: None")
            names = {cookie.key: cookie for cookie in there.client.cookie_jar}
            assert names["__Host-bh_preview"]["secure"]

    machines.play(scenario)


async def opened_at(there: machines.Machine, shown: int, port: int) -> list[str]:
    """The cookies that a browser gets for a port of the machine at a port of its address."""
    ticket = there.signer.ticket(may=["preview"], port=port, machine="main")
    url = f"https://127.0.0.1:{shown}/_brihaspati/open?ticket={ticket}"
    async with there.client.get(url, allow_redirects=False) as answer:
        return [c.partition(";")[0] for c in answer.headers.getall("Set-Cookie", [])]


def test_an_address_shows_each_port_on_one_of_its_own_whose_cookie_opens_no_other(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        one, two = loopback.free_port(), loopback.free_port()
        async with machines.application() as port, machines.application() as other:
            shown = {one: port, two: other}
            async with machines.machine(tmp_path, "127.0.0.1", shown) as there:
                plain, framed = await opened_at(there, one, port)
                assert plain.startswith(f"__Host-bh_preview_{one}=")
                assert framed.startswith(f"__Host-bh_preview_{one}_framed=")
                assert await opened_at(there, two, port) == [], "a ticket for the other port"
                for cookie in (plain, framed):
                    headers = {"Cookie": f"{cookie}; mine=1"}
                    url = f"https://127.0.0.1:{one}/agent/page"
                    async with there.client.get(url, headers=headers) as answer:
                        assert await answer.text() == "cookies: mine=1"
                    elsewhere = {"Cookie": cookie.replace(str(one), str(two))}
                    url = f"https://127.0.0.1:{two}/"
                    async with there.client.get(url, headers=elsewhere) as answer:
                        assert answer.status == 401
                async with there.client.ws_connect(
                    f"wss://127.0.0.1:{one}/line", headers={"Cookie": plain}
                ) as line:
                    await line.send_str("hé")
                    assert await line.receive_str() == "echo hé"

    machines.play(scenario)


def test_a_port_of_an_address_serves_no_other_host(tmp_path: Path) -> None:
    async def scenario() -> None:
        one = loopback.free_port()
        async with machines.machine(tmp_path, "127.0.0.1", {one: 1}) as there:
            for host in ("evil.example", f"127.0.0.1:{one + 1}", "127.0.0.1"):
                url, headers = f"https://127.0.0.1:{one}/", {"Host": host}
                async with there.client.get(url, headers=headers) as answer:
                    assert (answer.status, await answer.text()) == (404, "Nothing here.\n")

    machines.play(scenario)


def test_a_frame_whose_browser_keeps_no_cookies_says_what_to_do(tmp_path: Path) -> None:
    async def scenario() -> None:
        one = loopback.free_port()
        async with machines.machine(tmp_path, "127.0.0.1", {one: 1}) as there:
            headers = {"Sec-Fetch-Dest": "iframe"}
            async with there.client.get(f"https://127.0.0.1:{one}/", headers=headers) as answer:
                assert answer.status == 401
                assert "tab of its own" in await answer.text()

    machines.play(scenario)


def test_a_program_that_has_a_previews_port_keeps_nobody_from_the_terminal(tmp_path: Path) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as theirs:
            taken = theirs.getsockname()[1]
            async with (
                machines.machine(tmp_path, "127.0.0.1", {taken: 8080}) as there,
                there.client.get(there.at("/", "127.0.0.1")) as answer,
            ):
                assert answer.status == 404

    machines.play(scenario)


async def tunnel_status(there: machines.Machine, ticket: str, trust: ssl.SSLContext) -> int:
    """What whoever asks for a tunnel with this ticket is answered."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", there.port, ssl=trust, server_hostname=machines.HOST
    )
    writer.write(
        f"GET /agent/tunnel HTTP/1.1\r\nHost: {machines.HOST}\r\n"
        f"Authorization: Bearer {ticket}\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return int(head.split(b" ")[1])


def test_only_the_control_plane_has_tunnels_and_only_to_the_port_it_asked_for(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with machines.application() as port, machines.machine(tmp_path) as there:
            trust = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
            good = {"may": ["control"], "port": port, "machine": "main"}
            opens = there.signer.ticket(**good)
            for ticket, status in (
                (opens, 101),
                (opens, 403),
                (there.signer.ticket(**{**good, "may": ["preview"]}), 403),
                (there.signer.ticket(**{**good, "port": None}), 403),
                (there.signer.ticket(**{**good, "machine": "nowhere"}), 403),
                (there.signer.ticket(**{**good, "machines": {"main": "bh-gone"}}), 410),
                (there.signer.ticket(**{**good, "port": 1}), 503),
                ("", 403),
            ):
                assert await tunnel_status(there, ticket, trust) == status

    machines.play(scenario)
