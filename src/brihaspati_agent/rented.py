"""The life of a rented machine's agent: boot, become the lab, say so, and end.

`python3 agent.pyz --boot /opt/brihaspati/boot.json --state /var/lib/brihaspati`. Whoever kills it
starts it again: what it was told and its keys are in the state folder, and the token stays spent.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import secrets
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brihaspati_agent import (
    acme,
    alone,
    certificates,
    certified,
    control_plane,
    dying,
    handed,
    lean,
    own_terminal,
    places,
    signatures,
    vitals,
    whole,
)

_logger = logging.getLogger(__name__)
BEAT_SECONDS = 30
SOON_SECONDS = 1
_WORTH_ANOTHER_TRY = frozenset({404, 409, 425, 429, 500, 502, 503, 504})
_FOR_GOOD = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Where:
    """What does not change: files, and where to listen."""

    boot: Path
    state: Path
    host: str = "0.0.0.0"  # noqa: S104 - the machine is there to be reached
    port: int = 443


class Unfit(Exception):  # noqa: N818 - what it is
    """This machine cannot become the lab; the text is for a student."""


class Rented:
    """One machine's agent."""

    def __init__(
        self,
        where: Where,
        ends: dying.Ends,
        means: handed.Means,
        wait: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._where = where
        self._ends = ends
        self._means = means
        self._wait = wait
        self._told = json.loads(where.boot.read_text())
        self._trust = str(where.state / "trust.pem") if self._told.get("trust") else None
        if self._trust is not None:
            _keep(Path(self._trust), self._told["trust"].encode())
        self._times = control_plane.Times()
        self._key = self._kept("machine.key", lambda: secrets.token_bytes(32))
        self._plane = control_plane.ControlPlane(
            self._told["url"], self._told["label"], self._key, self._times, self._trust
        )
        self._tls = certificates.Tls()
        self._state = "starting"
        self._pulse = vitals.Pulse()
        self._beat_seconds = self._not_too_seldom(BEAT_SECONDS)
        self._renewal: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    async def run(self) -> None:
        """From first boot to the end. Raises OSError when the port cannot be had."""
        orders = await self._boot()
        await asyncio.to_thread(self._close_walls, orders["walls"])
        place = self._means.place(orders["lab"])
        house = alone.House(
            base64.b64decode(orders["public_key"]),
            orders["env"],
            tuple(orders["origins"]),
            orders["host"],
            self._times.now,
            self._times.now() - 1,
            {number: int(port) for port, number in orders["previews"].items()},
        )
        served = alone.Alone(house, self._at(place))
        tls = self._tls.context if orders["issuer"] else None
        for host in self._hosts(orders["address"]):
            await served.open(host, self._where.port, tls)
        pulse = asyncio.create_task(self._beat_on(served))
        try:
            try:
                await self._become(orders, place, served)
            except Unfit as unfit:
                _logger.warning("%s", unfit)
                await self._beat(served, "failed", str(unfit))
            await self._over.wait()
        finally:
            pulse.cancel()
            if self._renewal is not None:
                self._renewal.cancel()
            await served.close()

    def _close_walls(self, rules: str) -> None:
        try:
            self._means.wall(rules)
        except places.PlaceError as error:
            _logger.warning("no walls of our own: %s", error)

    def end(self) -> None:
        """Stop serving; the machine goes on."""
        self._over.set()

    def _hosts(self, own: str) -> tuple[str, ...]:
        """Where to listen. A machine of the stand-in shares loopback with all it talks to."""
        return ("127.0.0.1", own) if own.startswith("127.") else (self._where.host,)

    def _at(self, place: places.Place) -> places.Places:
        def at(label: str) -> places.Place:
            if label != self._told["label"]:
                raise places.NoSuchMachine(label)
            return place

        return at

    # --- boot --------------------------------------------------------------------------------
    async def _boot(self) -> dict[str, Any]:
        """What the control plane told us, now or before we were killed."""
        kept = self._where.state / "orders.json"
        if kept.exists():
            found: dict[str, Any] = json.loads(kept.read_text())
            await self._ask_the_time()
            return found
        key = base64.b64encode(signatures.keys().public_of(self._key)).decode()
        said = {"machine_id": vitals.machine_id(self._where.boot.parent), "key": key}
        pause = 0.2
        while True:
            try:
                orders = await asyncio.to_thread(self._plane.begin, self._told["token"], said)
            except control_plane.Refused as refused:
                if refused.status not in _WORTH_ANOTHER_TRY:
                    raise
                _logger.info("not yet: %s", refused)
            except control_plane.Unreachable as unreachable:
                _logger.info("no answer: %s", unreachable)
            else:
                whole.write(kept, json.dumps(orders).encode())
                return orders
            if self._ends.is_due():
                await asyncio.to_thread(self._means.finish)
            await self._wait(pause)
            pause = min(pause * 1.5, 5)

    async def _ask_the_time(self) -> None:
        try:
            await asyncio.to_thread(self._plane.tell, "/v1/machines/beat", {"state": self._state})
        except (control_plane.Refused, control_plane.Unreachable) as error:
            _logger.info("going on without: %s", error)

    # --- becoming the lab --------------------------------------------------------------------
    async def _become(
        self, orders: dict[str, Any], place: handed.LabPlace, served: alone.Alone
    ) -> None:
        """Set the lab up, have a certificate, open a terminal as a browser would; then say so."""
        await asyncio.gather(self._set_up(orders, place), self._certify(orders))
        await self._try_terminal(orders)
        choices = orders["lab"]["terminals"]
        machines = {orders["machine"]: self._told["label"]}
        await served.hub.open_early(self._told["sandbox"], machines, choices)
        lean.settle()
        while await self._beat(served, "ready") == "starting":
            await self._wait(SOON_SECONDS)

    async def _set_up(self, orders: dict[str, Any], place: handed.LabPlace) -> None:
        done = self._where.state / "set-up"
        if done.exists():
            return
        outcome = await asyncio.to_thread(place.set_up, orders["lab"])
        if outcome.code != 0 or outcome.timed_out:
            said = (outcome.output + outcome.error).decode(errors="replace").strip()[-300:]
            why = "it took too long" if outcome.timed_out else said or f"exit {outcome.code}"
            raise Unfit(f"The setup of this lab failed: {why}")
        whole.write(done, b"")

    def _certified(self, orders: dict[str, Any]) -> certified.Certified:
        issuer = acme.Issuer(
            orders["issuer"]["directory"], orders["issuer"]["profile"], self._trust
        )
        account = self._kept("account.key", certificates.new_key)

        def issue() -> acme.Certificate:
            return acme.Acme(issuer, account).certify(orders["host"], self._tls)

        kept = self._where.state / "certificate.json"
        return certified.Certified(self._tls, kept, issue, self._times.now, self._wait)

    async def _certify(self, orders: dict[str, Any]) -> None:
        """Have a certificate, and have one from then on."""
        if own := orders["identity"]:  # of a name that nobody else ever had; it outlives the lab
            self._tls.serve(own["chain"].encode(), own["key"].encode())
            return
        if not orders["issuer"]:
            return
        mine = self._certified(orders)
        try:
            await mine.begin()
        except certificates.CannotCertify as error:
            said = str(error)[-200:]
            raise Unfit(f"No certificate could be had for this lab's machine: {said}") from error
        self._renewal = asyncio.create_task(mine.keep())

    async def _try_terminal(self, orders: dict[str, Any]) -> None:
        """As a browser: by our public address, with a ticket, until a program answers."""
        problem = ""
        for attempt in range(5):
            try:
                ticket = await asyncio.to_thread(self._plane.tell, "/v1/machines/ticket", {})
                await asyncio.to_thread(self._echo, orders, ticket["ticket"])
            except (OSError, ValueError, control_plane.Refused, control_plane.Unreachable) as error:
                problem = f"{type(error).__name__}: {error}"
                _logger.warning("no terminal yet: %s", problem)
                await self._wait(2**attempt / 4)
            else:
                return
        raise Unfit(f"No terminal opens on this lab's machine: {problem[-200:]}")

    def _echo(self, orders: dict[str, Any], ticket: str) -> None:
        tls: ssl.SSLContext | None = None
        if orders["issuer"]:
            tls = control_plane.trusting_at_any_time(self._trust)
        address = orders["address"], self._where.port
        own_terminal.echo(address, orders["host"], tls, ticket)

    # --- being alive -------------------------------------------------------------------------
    def _not_too_seldom(self, seconds: float) -> float:
        """So often that a few lost beats end nobody."""
        return min(seconds, max(float(self._told["silent_seconds"]) / 10, 1))

    async def _beat_on(self, served: alone.Alone) -> None:
        while True:
            try:
                await self._beat(served, self._state)
            except Exception:  # who stops saying that it lives is ended; nothing else is as bad
                _logger.exception("no sign of life was sent")
            await self._wait(self._beat_seconds)

    async def _beat(self, served: alone.Alone, state: str, reason: str = "") -> str:
        """Say how we are; the phase of our sandbox, or "" when nobody answered."""
        self._state = state
        sandbox = self._told["sandbox"]
        used = served.hub.heartbeat(sandbox)
        said = {
            "state": state,
            "reason": reason[:500],
            "input_at": used.last_input_at,
            "viewers": used.viewers,
            "line": served.hub.glance(sandbox)[:400],
            **self._pulse.read(),
        }
        try:
            answer = await asyncio.to_thread(self._plane.tell, "/v1/machines/beat", said)
        except control_plane.Refused as refused:
            _logger.warning("refused: %s", refused)
            if refused.status in _FOR_GOOD:
                await self._die(served, "the lab is over")
            return ""
        except control_plane.Unreachable as unreachable:
            _logger.warning("no answer: %s", unreachable)
            if self._ends.is_due():
                await self._die(served, "nobody has answered for too long, or time was up")
            return ""
        self._beat_seconds = self._not_too_seldom(answer["again_seconds"])
        self._ends.heard(self._times.now(), answer["deadline_at"])
        if answer["over"] and state != "failed":
            await self._die(served, "the lab is over")
        elif self._ends.is_due():
            await self._die(served, "time was up")
        return str(answer["phase"])

    async def _die(self, served: alone.Alone, why: str) -> None:
        _logger.warning("ending: %s", why)
        await served.hub.end(self._told["sandbox"], "This lab has ended.")
        await asyncio.to_thread(self._means.finish)
        self._over.set()

    def _kept(self, name: str, make: Callable[[], bytes]) -> bytes:
        path = self._where.state / name
        if not path.exists():
            whole.write(path, make())
        return path.read_bytes()


def _keep(path: Path, data: bytes) -> None:
    """Have this in a file; one that has it needs no room on a full disk."""
    if not path.exists() or path.read_bytes() != data:
        whole.write(path, data)


def main(boot: Path, state: Path, orders: socket.socket | None = None) -> int:
    """Live until the machine ends; the exit status. `orders` lead to what is root of us."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    lean.read_less()
    means = handed.Undivided() if orders is None else handed.Asking(orders)
    try:
        asyncio.run(_live(Where(boot, state), means))
    except (OSError, control_plane.Refused) as error:
        print(f"agent: {error}", file=sys.stderr)  # noqa: T201 - a program's own words
        return 1
    return 0


async def _live(where: Where, means: handed.Means) -> None:
    silent_seconds = json.loads(where.boot.read_text())["silent_seconds"]
    ends = dying.Ends(dying.OFF_AT, silent_seconds)
    agent = Rented(where, ends, means)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, agent.end)
    await agent.run()
