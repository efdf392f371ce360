"""Serve this machine: `python -m brihaspati_agent --listen 127.0.0.1:8800 --public-key ...`."""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import signal
import sys
import time
from collections.abc import Sequence

import uvloop

from brihaspati_agent import descriptors, local, places, previews, serving

_ABOUT = """\
Serves the terminals, commands, files and ports of this machine to whoever has a ticket that the
control plane signed. Whoever can sign tickets has the rights of the user that runs this program.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; the exit status."""
    given = _parser().parse_args(arguments)
    try:
        host, port = _address(given.listen)
        key = _key(given.public_key)
    except ValueError as error:
        print(f"brihaspati_agent: {error}", file=sys.stderr)  # noqa: T201 - a program's own words
        return 2
    descriptors.keep()
    origins = frozenset(given.origin)
    terms = serving.Terms(
        public_key=key,
        env=given.env,
        origin_allowed=origins.__contains__,
        previews=previews.Scheme(given.preview_domain, given.secure, tuple(given.origin)),
        started_at=_now(),
    )
    try:
        uvloop.run(_serve(given.label, given.shell, terms, (host, port)))
    except OSError as error:
        print(f"brihaspati_agent: {error.strerror or error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m brihaspati_agent", description=_ABOUT)
    add = parser.add_argument
    add("--listen", required=True, metavar="HOST:PORT", help="port 0: any; it is printed")
    add("--public-key", required=True, help="Ed25519 key of the control plane, base64")
    add("--env", required=True, help="name of the deployment that tickets must carry")
    add("--label", help="answer only tickets for this machine label (default: any)")
    add("--origin", action="append", default=[], help="origin of the lab page; repeatable")
    add("--preview-domain", default="localhost", help="domain under which ports are shown")
    add("--secure", action="store_true", help="browsers come by https (a proxy ends TLS)")
    add("--shell", help="login shell of terminals (default: the user's)")
    return parser


async def _serve(
    label: str | None, shell: str | None, terms: serving.Terms, address: tuple[str, int]
) -> None:
    here = local.LocalPlace(shell)

    def at(wanted: str) -> places.Place:
        if label is not None and wanted != label:
            raise places.NoSuchMachine(wanted)
        return here

    agent = serving.Agent(at, terms, _now)
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    try:
        port = agent.open(*address)
        print(f"listening on {address[0]}:{port}", flush=True)  # noqa: T201 - a program's own words
        await over.wait()
    finally:
        await agent.close()


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"--listen {text}: give a host and a port, as in 127.0.0.1:8800")
    return host.strip("[]"), int(port)


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, altchars=b"-_" if set(text) & set("-_") else None)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ValueError("--public-key: give the 32 bytes of an Ed25519 key in base64")
    return key


def _now() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
