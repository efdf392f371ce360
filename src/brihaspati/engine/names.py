"""The inventory of names: certified ahead of time, given to one machine each, taken back for good.

A name is written down before anything is asked of the zone or the issuer, and its item stays until
the zone shows nothing of it any more. Its key is in the store sealed, until the machine has it.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from brihaspati import ports
from brihaspati.domain import names, sandboxes
from brihaspati.domain.sandboxes import Machine, Sandbox
from brihaspati.domain.scrubs import End
from brihaspati.engine import records
from brihaspati.engine.paging import every
from brihaspati.engine.working import Worker
from brihaspati.engine.world import Naming, World
from brihaspati.ports import Item, Key
from brihaspati.ports.names import Identity, Kind, NotCertified

log = logging.getLogger(__name__)

PARTITION = "names"
KEPT_MS = 60 * 24 * 3_600_000
TRIES_MAX = 20
PAUSE_MS_MIN, PAUSE_MS_MAX = 60_000, 3_600_000
REVOKED = "its certificate was revoked"
NOT_REVOKED = "its certificate was not revoked and ends by itself"
GONE = "a name; the zone shows no record of it, and its key was dropped"


@dataclass(frozen=True, slots=True)
class Given:
    """A machine's name. `identity` until it is known to have it; `placed`: the zone shows it."""

    host: str
    identity: Identity | None
    placed: bool


class Names:
    """Of one zone. Every call is safe to repeat, and by several at once."""

    def __init__(self, world: World, worker: Worker, naming: Naming) -> None:
        self.world = world
        self.worker = worker
        self.naming = naming
        self.zone = naming.zone
        self._not_before = 0  # so that an issuer who refuses is not asked all the time
        self._pause_ms = PAUSE_MS_MIN
        self._suspects: frozenset[str] = frozenset()  # strays of the zone that were seen once

    # --- the inventory ---------------------------------------------------------------------------
    def stock(self) -> names.Stock:
        """How many there are."""
        now = self.world.clock.now()
        ready = sum(names.usable(i.body["expires_at"], now) for i in self._items("ready"))
        return names.Stock(ready, sum(1 for _ in self._items("ordered")))

    def fill(self) -> int:
        """Order some of those that are missing; how many came. Takes minutes."""
        now = self.world.clock.now()
        count = names.missing(self.stock(), self.naming.stock) if now >= self._not_before else 0
        if not count:
            return 0
        chance = self.world.chance
        zone, env = self.zone.name, self.world.env
        hosts = [names.new_host(zone, env, chance.name(names.LENGTH)) for _ in range(count)]
        self.world.store.transact([ports.Put(_key("ordered", h), {"at": now}, 0) for h in hosts])
        try:
            found = self.naming.certifier.certify(hosts, self.zone)
        except NotCertified as error:
            log.warning("no names", extra={"zone": self.zone.name, "reason": str(error)})
            found = {}
            self._not_before = now + self._pause_ms
        self._pause_ms = PAUSE_MS_MIN if found else min(self._pause_ms * 2, PAUSE_MS_MAX)
        for host, identity in found.items():
            body = {
                "chain": identity.chain,
                "key": self.naming.vault.seal(identity.key, host),
                "expires_at": identity.expires_at,
            }
            put = ports.Put(_key("ready", host), body, expect=0)
            self.world.store.transact((ports.Delete(_key("ordered", host)), put))
        for host in set(hosts) - set(found):
            self._forget("ordered", host)
        return len(found)

    # --- one machine's ---------------------------------------------------------------------------
    def give(self, sandbox: Sandbox, machine: Machine) -> Given | None:
        """The machine's name, now and when it asks again; None when there is none left."""
        for _ in range(TRIES_MAX):
            if (known := self.of(sandbox.id, machine.label)) is not None:
                return known
            ready = self._one_ready()
            if ready is None:
                log.error("no name is left", extra={"label": machine.label})
                return None
            host = _host(ready)
            body = {
                **ready.body,
                "label": machine.label,
                "address": machine.address,
                "placed": False,
            }
            try:
                self.world.store.transact(
                    (
                        ports.Delete(ready.key, expect=ready.version),
                        ports.Put(_key("given", host), body, expect=0),
                        ports.Put(
                            _of_machine(sandbox.id, machine.label),
                            {"host": host},
                            expect=0,
                            expires_at=self.world.clock.now() + KEPT_MS,
                        ),
                    )
                )
            except ports.Conflict:
                continue
            self.world.soon(functools.partial(self._place_new, host))
        raise ports.Busy("names are taken by too many at once")

    def of(self, sandbox_id: str, label: str) -> Given | None:
        """The name of a machine, if it has one."""
        item = self.world.store.get(_of_machine(sandbox_id, label))
        given = self.world.store.get(_key("given", item.body["host"])) if item else None
        if given is None:
            return None
        host, body = _host(given), given.body
        identity = None
        if body["key"]:
            key = self.naming.vault.open(body["key"], host)
            identity = Identity(body["chain"], key, body["expires_at"])
        return Given(host, identity, placed=body["placed"])

    def _place_new(self, host: str) -> None:
        self.place(host, new=True)

    def place(self, host: str, *, new: bool = False) -> bool:
        """Have the zone lead all below a name to its machine. False: not yet.

        `new`: by whoever gave the name away, who alone knows that nobody has tried before.
        """
        item = self.world.store.get(_key("given", host))
        if item is None or item.body["placed"]:
            return item is not None
        address = item.body["address"]
        kind: Kind = "AAAA" if ":" in address else "A"
        try:
            self.zone.add(names.below(host), kind, address, new=new)
        except ports.Unclear as unclear:
            log.warning("not placed", extra={"host": host, "reason": str(unclear)})
            return False
        self._change(item, placed=True)
        return True

    def arrived(self, sandbox_id: str, label: str) -> None:
        """The machine serves with it: nobody else needs the key any more."""
        item = self.world.store.get(_of_machine(sandbox_id, label))
        given = self.world.store.get(_key("given", item.body["host"])) if item else None
        if given is not None and given.body["key"]:
            self._change(given, key="")

    # --- the end ---------------------------------------------------------------------------------
    def sweep(self) -> None:
        """Place what is not placed yet; end what nobody wants; forget what was never finished."""
        now = self.world.clock.now()
        for item in list(self._items("given")):
            if self._is_wanted(item):
                self.place(_host(item))
            else:
                self._end(item)
        for item in list(self._items("ordered")):
            if now - item.body["at"] > names.ORDER_MS_MAX:
                self._forget("ordered", _host(item))
        for item in list(self._items("ready")):
            wanted = self.naming.stock > 0 and names.usable(item.body["expires_at"], now)
            if not wanted:
                self._forget("ready", _host(item))

    def sweep_zone(self) -> None:
        """Take out of the zone what looks like ours and is written down nowhere, seen twice.

        And drop from the inventory what it shows of a machine: a store that was restored from a
        backup would give such a name, and its key, a second time.
        """
        try:
            found = self.zone.hosts()
        except ports.Unclear as unclear:
            log.warning("zone unread", extra={"zone": self.zone.name, "reason": str(unclear)})
            return
        self._drop_given(found)
        strays = frozenset(name for name in found if self._is_stray(name))
        again, self._suspects = strays & self._suspects, strays
        for name in sorted(again):
            log.warning("a stray name", extra={"host": name})
            try:
                self.zone.remove(name)
            except ports.Unclear as unclear:
                log.warning("not removed", extra={"host": name, "reason": str(unclear)})

    def _drop_given(self, found: Sequence[str]) -> None:
        shown = frozenset(found)
        for item in list(self._items("ready")):
            host = _host(item)
            if names.below(host) in shown:  # which is written there after it has left the inventory
                log.error("a name was given already: is this a backup?", extra={"host": host})
                self.world.store.transact((ports.Delete(item.key),))

    def _is_stray(self, name: str) -> bool:
        host = names.host_of(name, self.zone.name, self.world.env)
        if host is None:
            return False
        keys = [_key(state, host) for state in ("ordered", "ready", "given")]
        return not self.world.store.get_many(keys)

    def _is_wanted(self, item: Item) -> bool:
        record = self.worker.of_label(item.body["label"])
        machine = record.sandbox.machine(item.body["label"]) if record is not None else None
        return record is not None and machine is not None and record.sandbox.wants(machine)

    def _end(self, item: Item) -> None:
        """Take a name back: out of the zone, seen gone, its certificate revoked, on record."""
        host = _host(item)
        if not self._is_gone(names.below(host)):
            return
        try:
            self.naming.certifier.revoke(item.body["chain"])
            said = REVOKED
        except NotCertified as error:
            log.warning("not revoked", extra={"host": host, "reason": str(error)})
            said = NOT_REVOKED
        now = self.world.clock.now()
        label, end = item.body["label"], End(host, None, None, now, f"{GONE}; {said}")
        record = self.worker.of_label(label)
        if record is not None:
            self.worker.scrubbing.ended(record.sandbox, end)
        else:  # its student has pressed Play again: the chain knows whose it is
            self.worker.scrubbing.stray_ended(sandboxes.sandbox_of(label), end)
        self.world.store.transact((ports.Delete(item.key),))

    def _is_gone(self, name: str) -> bool:
        """Ask for the end of its records; whether the zone shows none."""
        try:
            self.zone.remove(name)
            return not self.zone.values(name)
        except ports.Unclear as unclear:
            log.warning("a name stays", extra={"host": name, "reason": str(unclear)})
            return False

    def _forget(self, state: names.State, host: str) -> None:
        """Drop a name that nobody has."""
        if self._is_gone(names.proof_of(host)):
            self.world.store.transact((ports.Delete(_key(state, host)),))

    # --- items -----------------------------------------------------------------------------------
    def _items(self, state: names.State) -> Iterator[Item]:
        query = functools.partial(self.world.store.query, PARTITION, f"{state}#")
        return iter(every(lambda cursor: query(cursor=cursor)))

    def _one_ready(self) -> Item | None:
        """Any of the first few: those who ask at once take different ones."""
        now = self.world.clock.now()
        page = self.world.store.query(PARTITION, "ready#", limit=20)
        found = [i for i in page.items if names.usable(i.body["expires_at"], now)]
        return found[self.world.chance.pick(len(found))] if found else None

    def _change(self, item: Item, **changes: object) -> None:
        """Write some fields, unless somebody was quicker: a sweep looks again."""
        try:
            self.world.store.transact(
                (ports.Put(item.key, {**item.body, **changes}, expect=item.version),)
            )
        except ports.Conflict:
            log.info("a name was changed by another", extra={"host": _host(item)})


def _key(state: names.State | str, host: str) -> Key:
    return Key(PARTITION, f"{state}#{host}")


def _host(item: Item) -> str:
    return item.key.sort.partition("#")[2]


def _of_machine(sandbox_id: str, label: str) -> Key:
    return records.machine_key(sandbox_id, f"n#{label}")
