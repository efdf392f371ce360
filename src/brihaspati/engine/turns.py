"""Who may begin now, and where: the turns of providers that take so many creates and no more.

Each provider with limits has a ledger in the store. Whoever asks writes their turn into it, on the
condition that nobody else did since, and knows from then on when it is.
"""

from __future__ import annotations

import base64
import itertools
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from brihaspati import ports
from brihaspati.domain import events, pace
from brihaspati.domain.events import Event
from brihaspati.domain.pace import Ledger
from brihaspati.domain.sandboxes import Offer, Sandbox, Turn
from brihaspati.engine.world import World
from brihaspati.ports import Item, Key, Put

TRIES_MAX = 100
# A turn this much later than elsewhere is worth going elsewhere for.
SLOW_MS = 30_000
# For so long nobody tries where no machine was left; an account at its quota stays so for longer.
SOLD_OUT_MS = 60_000
QUOTA_MS = 300_000
# Everybody who waits asks how many are before; a few seconds change little of that.
AHEAD_MS = 3_000


@dataclass(frozen=True, slots=True)
class _Books:
    """Ledgers as they were read, and how a class's sandboxes are spread."""

    ledgers: dict[str, Ledger]
    versions: dict[str, int]
    spread: dict[str, int]
    spread_version: int


class Turns:
    """Gives turns. Many may ask at once, anywhere."""

    def __init__(self, world: World) -> None:
        self.world = world
        # By provider: its ledger as it was read last to tell who is before whom, and when.
        self._told: dict[str, tuple[int, Ledger]] = {}

    def ask(self, sandbox: Sandbox) -> Event:
        """TurnCame, or TurnGiven when it is not yet. Raises Busy."""
        turn = sandbox.next_turn
        if turn is None:
            if len(sandbox.offers) == 1 and not self._is_limited(sandbox.offers[0]):
                return events.TurnCame()
            turn = self._give(sandbox)
        return (
            events.TurnCame(turn) if turn.at <= self.world.clock.now() else events.TurnGiven(turn)
        )

    def refused(self, sandbox: Sandbox, provider: str, refused: ports.CreateRefused) -> bool:
        """Remember a refusal for everybody; whether there is somebody else to ask."""
        others = any(offer.provider != provider for offer in sandbox.offers)
        waits_ms = {
            "rate": round((refused.retry_after_seconds or 1) * 1000),
            "sold_out": SOLD_OUT_MS if others else 0,
            "quota": QUOTA_MS if others else 0,
        }.get(refused.kind, 0)
        if waits_ms and (others or self.world.pace(provider).windows):
            self._close(provider, self.world.clock.now() + waits_ms)
        return others and bool(waits_ms)

    def ahead(self, sandbox: Sandbox) -> int:
        """How many turns come before a waiting sandbox's own."""
        turn = sandbox.next_turn
        if turn is None:
            return 0
        now = self.world.clock.now()
        if turn.at <= now:
            return 0
        read_at, ledger = self._told.get(turn.provider, (now - AHEAD_MS, Ledger()))
        if not read_at <= now < read_at + AHEAD_MS:
            ledger, _ = _ledger(self.world.store.get(_key(turn.provider)))
            self._told[turn.provider] = (now, ledger)
        return ledger.ahead(turn.at, now)

    # --- giving ----------------------------------------------------------------------------------
    def _is_limited(self, offer: Offer) -> bool:
        return bool(self.world.pace(offer.provider).windows)

    def _give(self, sandbox: Sandbox) -> Turn:
        for _ in range(TRIES_MAX):
            books = self._read(sandbox)
            offer, ledger, at = self._choose(sandbox, books)
            try:
                self.world.store.transact(self._writes(sandbox, books, offer, ledger))
            except ports.Conflict:
                continue  # somebody else took a turn: look at what is left
            price = offer.price_micros_per_hour
            return Turn(at, sandbox.attempt + 1, offer.provider, price)
        raise ports.Busy("too many ask for their turn at once")

    def _read(self, sandbox: Sandbox) -> _Books:
        names = [offer.provider for offer in sandbox.offers]
        shares = _shares_key(sandbox.slot.class_id)
        found = self.world.store.get_many([*map(_key, names), shares])
        read = {name: _ledger(found.get(_key(name))) for name in names}
        spread = found.get(shares)
        return _Books(
            ledgers={name: ledger for name, (ledger, _) in read.items()},
            versions={name: version for name, (_, version) in read.items()},
            spread=dict(spread.body["sandboxes"]) if spread is not None else {},
            spread_version=spread.version if spread is not None else 0,
        )

    def _choose(self, sandbox: Sandbox, books: _Books) -> tuple[Offer, Ledger, int]:
        """The first provider whose turn is not much later than the earliest."""
        now = self.world.clock.now()
        total = sum(books.spread.values()) + 1
        turns = []
        for offer in sandbox.offers:
            there = books.spread.get(offer.provider, 0) + 1
            if offer.share_percent < 100 and there * 100 > total * offer.share_percent:
                continue
            windows = self.world.pace(offer.provider).windows
            turns.append((offer, *pace.give(books.ledgers[offer.provider], windows, now)))
        # Never none: the class's own provider, the first of the offers, has no share to use up.
        earliest = max(now, min(at for _, _, at in turns))
        return next(turn for turn in turns if turn[2] <= earliest + SLOW_MS)

    def _writes(
        self, sandbox: Sandbox, books: _Books, offer: Offer, ledger: Ledger
    ) -> list[ports.Write]:
        writes: list[ports.Write] = [_put(offer.provider, ledger, books.versions[offer.provider])]
        if any(one.share_percent < 100 for one in sandbox.offers):
            spread = {**books.spread, offer.provider: books.spread.get(offer.provider, 0) + 1}
            key = _shares_key(sandbox.slot.class_id)
            writes.append(Put(key, {"sandboxes": spread}, expect=books.spread_version))
        return writes

    def _close(self, provider: str, until: int) -> None:
        for _ in range(TRIES_MAX):
            ledger, version = _ledger(self.world.store.get(_key(provider)))
            if ledger.closed_until >= until:
                return
            try:
                self.world.store.transact((_put(provider, ledger.closed(until), version),))
            except ports.Conflict:
                continue
            return


def _key(provider: str) -> Key:
    return Key(f"turns#{provider}", "ledger")


def _shares_key(class_id: str) -> Key:
    return Key(f"k#{class_id}", "shares")


def _ledger(item: Item | None) -> tuple[Ledger, int]:
    if item is None:
        return Ledger(), 0
    packed = item.body.get("z")  # there is none where a version of before wrote it
    turns = _unpacked(packed) if packed is not None else ()
    return Ledger(turns, int(item.body["closed_until"])), item.version


def _put(provider: str, ledger: Ledger, version: int) -> Put:
    body = {"z": _packed(ledger.turns), "closed_until": ledger.closed_until}
    return Put(_key(provider), body, expect=version)


def _packed(turns: Sequence[tuple[int, int]]) -> str:
    """Turns by how long after the one before they are: this is written with every Play.

    A thousand take 2 KB; written out they took 18, and 18 of the 1,000 units that the partition of
    a ledger takes in a second.
    """
    flat, last = [], 0
    for tick, count in turns:
        flat += [tick - last, count]
        last = tick
    return base64.b64encode(zlib.compress(json.dumps(flat).encode(), 6)).decode()


def _unpacked(text: str) -> tuple[tuple[int, int], ...]:
    flat = json.loads(zlib.decompress(base64.b64decode(text)))
    ticks = itertools.accumulate(flat[::2])
    return tuple(zip(ticks, flat[1::2], strict=True))
