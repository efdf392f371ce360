"""What rented machines say to the control plane, and how they are known.

A machine boots with a token that works once. It trades it, from the address and with the id that
the provider told us, for the lab and for being known by its own key. From then on it signs.
Nothing is kept in the process: any function may answer any of its requests.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Callable
from dataclasses import asdict, dataclass

from brihaspati import ports
from brihaspati.domain import abuse, egress, events, sandboxes, tickets
from brihaspati.domain.events import Event
from brihaspati.domain.labs import Lab
from brihaspati.domain.sandboxes import Machine, Sandbox
from brihaspati.engine import records
from brihaspati.engine.alarms import KEPT_MS, Alarms
from brihaspati.engine.names import Given, Names
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Record
from brihaspati.engine.working import Worker
from brihaspati.engine.world import World

# Requests are signed at the control plane's time; what is older was kept by somebody.
SIGNED_MS_MAX = 60_000
STOLEN = (
    "This lab was stopped for safety: somebody tried to pass for its machine. Press Play again."
)
# Who goes on typing is written down as often as this.
TYPING_MS = 5 * 60_000
SUSPECT = "This lab was stopped, as it looked like something else."
CHECK = ("/bin/sh", "-c", 'read -r line; echo "got $line"')
NO_SUCH = "There is no such machine."
Verify = Callable[[bytes, bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a machine says at its first boot. `key` is its public Ed25519 key, 32 bytes."""

    label: str
    token: str
    machine_id: str
    source: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed request: `text` is what the signature is over, at the moment `at`."""

    label: str
    at: int
    signature: bytes
    text: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """A machine we believe, and its sandbox."""

    record: Record
    machine: Machine

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox it is of."""
        return self.record.sandbox


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life. `load` is of a minute, `cpu` the share (0 to 1) since the last.

    `busy_seconds`: since when `cpu` is at least `abuse.BUSY_CPU`. Connections are those opened.
    """

    state: str
    reason: str = ""
    input_at: int | None = None
    line: str = ""
    load: float = 0
    cpu: float = 0
    viewers: int = 0
    busy_seconds: float = 0
    sent_bytes_per_minute: int = 0
    connections_per_minute: int = 0


@dataclass(frozen=True, slots=True)
class Door:
    """Where a machine's agent is: its address, and the host that its certificate is for.

    `ticket` may control it once, or connect to the one port that was asked for.
    """

    address: str
    host: str
    ticket: str


class Machines:
    """Answers machines. Each call is safe to repeat by the machine that made it."""

    def __init__(
        self, world: World, worker: Worker, verify: Verify, names: Names | None = None
    ) -> None:
        """`verify(public key, signature, message)` of Ed25519. `names` where machines have such."""
        self.names = names
        self.world = world
        self.worker = worker
        self.verify = verify
        self.alarms = Alarms(world)

    # --- the first boot --------------------------------------------------------------------------
    def begin(self, asked: Asked) -> tuple[Known, Lab]:
        """Spend the token. Raises Problem; a second spender puts the lab into quarantine."""
        token = records.boot_token(self.world.secrets, asked.label)
        if not hmac.compare_digest(token.encode(), asked.token.encode()):
            raise Problem("not_signed_in", NO_SUCH, "Boot tokens are made for one machine.")
        known = self._find(asked.label)
        spent = self._spent(known.sandbox, asked.label)
        if spent is not None and spent != asked.key:
            self.alarms.sound(asked.label, "token used twice", source=asked.source)
            self._post(known, events.MachineUnfit(asked.label, STOLEN))
            raise Problem("link_spent", "This token was used before.")
        self._check_place(known, asked)
        if spent is None:
            self._spend(known, asked)
        return known, self.worker.lab(known.sandbox.slot.lab, known.sandbox.terms.lab_version)

    def walls(self, known: Known, lab: Lab) -> str:
        """What its own firewall shall let out, as a file for `nft -f`."""
        home = self.world.boot.home if self.world.boot is not None else egress.EVERYWHERE
        rules = egress.rules(lab.egress, lab.egress_allow, home)
        return egress.host_rules(rules, known.machine.address or "127.0.0.1")

    def _check_place(self, known: Known, asked: Asked) -> None:
        machine = known.machine
        if machine.machine_id is None or machine.address is None:
            raise Problem("not_ready", "The provider has not told us of it yet.", "Ask again.")
        right_id = hmac.compare_digest(machine.machine_id.encode(), asked.machine_id.encode())
        if right_id and _same(machine.address, asked.source):
            return
        self.alarms.sound(asked.label, "token used from elsewhere", source=asked.source)
        raise Problem("not_allowed", "This token is for another machine.")

    def _spent(self, sandbox: Sandbox, label: str) -> bytes | None:
        """The key of whoever spent the token, if anybody has."""
        item = self.world.store.get(records.machine_key(sandbox.id, f"m#{label}"))
        return None if item is None else base64.b64decode(item.body["key"])

    def _spend(self, known: Known, asked: Asked) -> None:
        now = self.world.clock.now()
        body = {"key": base64.b64encode(asked.key).decode(), "source": asked.source, "at": now}
        key = records.machine_key(known.sandbox.id, f"m#{asked.label}")
        try:
            self.world.store.transact(
                (ports.Put(key, body, expect=0, expires_at=now + KEPT_MS),),
            )
        except ports.Conflict:
            raise Problem("busy", "Somebody spends this token now.", "Ask again.") from None

    # --- later -----------------------------------------------------------------------------------
    def identify(self, signed: Signed) -> Known:
        """The machine that signed a request. Raises Problem."""
        unknown = Problem("not_signed_in", NO_SUCH, "Sign with the machine's own key.")
        sandbox_id = sandboxes.sandbox_of(signed.label)
        item = self.world.store.get(records.machine_key(sandbox_id, f"m#{signed.label}"))
        if item is None or abs(self.world.clock.now() - signed.at) > SIGNED_MS_MAX:
            raise unknown
        if not self.verify(base64.b64decode(item.body["key"]), signed.signature, signed.text):
            raise unknown
        return self._find(signed.label)

    def hear(self, known: Known, beat: Beat) -> Record:
        """Note a sign of life, and what follows from it; the sandbox as it is then."""
        label, sandbox = known.machine.label, known.sandbox
        suspect = self._suspicion(sandbox, beat)
        self._note(sandbox.id, label, beat, suspect)
        if beat.state == "failed":
            self.alarms.sound(label, "machine failed", beat.reason)
            return self._post(known, events.MachineUnfit(label, beat.reason or "It failed."))
        if suspect is not None:
            self.alarms.sound(label, "suspect", suspect)
            if self.world.bounds.abuse.ends:
                return self._post(known, events.MachineUnfit(label, f"{SUSPECT} {suspect}"))
        record = known.record
        if beat.state == "ready" and known.machine.state != "usable" and self._found(known):
            record = self._post(known, events.AgentReady(label))
        if beat.input_at is not None and self._is_news(sandbox, beat.input_at):
            at = min(beat.input_at, self.world.clock.now())
            record = self._post(known, events.InputSeen(at))
        return record

    def _is_news(self, sandbox: Sandbox, input_at: int) -> bool:
        """Whether a board should know of it: who goes on typing is written down now and then.

        When they have stopped, it is the very last moment; whoever ends what is idle looks at what
        was said here.
        """
        since, now = sandbox.last_input_at or 0, self.world.clock.now()
        paused = now - input_at >= self.world.bounds.beat_seconds * 1000
        return input_at > since if paused else input_at >= since + TYPING_MS

    def _found(self, known: Known) -> bool:
        """Whether browsers find the machine. Nobody may ask for a name before it is there."""
        if self.names is None:
            return True
        sandbox_id, label = known.sandbox.id, known.machine.label
        given = self.names.of(sandbox_id, label)
        if given is None:
            return True
        # Whoever gave it tried once; the machine asks every second, so a lost try costs no lab.
        placed = given.placed or self.names.place(given.host)
        if placed:
            self.names.arrived(sandbox_id, label)
        return placed

    def _suspicion(self, sandbox: Sandbox, beat: Beat) -> str | None:
        now = self.world.clock.now()
        signs = abuse.Signs(
            beat.busy_seconds,
            beat.sent_bytes_per_minute,
            beat.connections_per_minute,
            now - max(beat.input_at or 0, sandbox.ready_at or now),
        )
        return abuse.suspicion(signs, self.world.bounds.abuse)

    def check(self, known: Known) -> str:
        """A ticket with which a machine tries its own terminal before anybody else does."""
        return self._ticket(known, "terminal")

    def door(self, label: str, port: int | None = None) -> Door | None:
        """The way to a machine, or to a port of it; None when it is not there."""
        try:
            known = self._find(label)
        except Problem:
            return None
        address = known.machine.address
        host = self.host(known.sandbox.id, label) or address
        ticket = self._ticket(known, "control", port)
        return None if address is None or host is None else Door(address, host, ticket)

    def named(self, known: Known) -> Given | None:
        """The machine's own name, with its certificate until it is ready; None: it has none."""
        if self.names is None:
            return None
        return self.names.give(known.sandbox, known.machine)

    def host(self, sandbox_id: str, label: str) -> str | None:
        """The machine's name, if it has one."""
        given = self.names.of(sandbox_id, label) if self.names is not None else None
        return None if given is None else given.host

    def glance(self, sandbox_id: str) -> ports.Glance:
        """What its machines said last."""
        page = self.world.store.query(f"s#{sandbox_id}", "b#", limit=1)
        if not page.items:
            return ports.Glance()
        body = page.items[0].body
        return ports.Glance(body["input_at"], body["line"], body.get("suspect"))

    def _ticket(self, known: Known, permission: tickets.Permission, port: int | None = None) -> str:
        now, machine = self.world.clock.now(), known.machine
        ticket = tickets.Ticket(
            id=self.world.chance.name(24),
            env=self.world.env,
            sandbox=known.sandbox.id,
            machines={machine.name: machine.label},
            terminals={"check": (machine.name, CHECK)},
            user="machine",
            name="machine",
            may=(permission,),
            issued_at=now,
            expires_at=now + tickets.LIFE_MS,
            port=port,
            machine=machine.name,
        )
        return tickets.seal(ticket, self.world.secrets.sign)

    def stop(self, known: Known, reason: str) -> Record:
        """Its machine asks to be deleted."""
        return self._post(known, events.MachineUnfit(known.machine.label, reason))

    def _note(self, sandbox_id: str, label: str, beat: Beat, suspect: str | None) -> None:
        now = self.world.clock.now()
        body = {**asdict(beat), "at": now, "suspect": suspect}
        key = records.beat_key(sandbox_id, label)
        self.world.store.transact((ports.Put(key, body, expires_at=now + KEPT_MS),))

    # --- all -------------------------------------------------------------------------------------
    def _find(self, label: str) -> Known:
        """A machine that its sandbox still wants. Raises Problem."""
        record = self.worker.of_label(label)
        machine = record.sandbox.machine(label) if record is not None else None
        if record is None or machine is None:
            raise Problem("not_found", NO_SUCH)
        if not record.sandbox.wants(machine):
            raise Problem("link_spent", "This machine is not wanted any more.")
        return Known(record, machine)

    def _post(self, known: Known, event: Event) -> Record:
        record = self.worker.post(known.sandbox.slot, event)
        if record is None:
            raise Problem("not_found", NO_SUCH)
        if record.unfinished:
            self.worker.pass_on(record)
        return record


def key_of(text: str) -> bytes | None:
    """The 32 bytes of a key, or None."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == 32 else None


def _same(one: str, other: str) -> bool:
    """Whether two texts are the same address."""
    try:
        return _plain(one) == _plain(other)
    except ValueError:
        return False


def _plain(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text)
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
