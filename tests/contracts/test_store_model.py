"""Whatever is asked, every store answers as the one in memory does."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings, stateful
from hypothesis import strategies as st

from brihaspati import ports
from brihaspati.adapters import clocks, dynamodb, memory, sqlite
from brihaspati.ports import Check, Delete, Key, Put
from contracts import engines
from emulators import servers

PARTITIONS = ["p", "q"]
SORTS = ["a", "a#1", "a#2", "ab", "b", "é", "😀", "a\0"]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Half a surrogate pair is refused, and tested elsewhere.
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), inner)
    ),
    max_leaves=6,
)
KEYS = st.builds(Key, st.sampled_from(PARTITIONS), st.sampled_from(SORTS))
BODIES = st.dictionaries(st.sampled_from(["x", "y", ""]), JSON, max_size=3)
PLACES = st.builds(Key, st.sampled_from(["d", "e"]), st.sampled_from(["1", "2", "2#x", "3"]))
INDEXES = st.dictionaries(st.sampled_from(["due", "class"]), PLACES)
EXPECT = st.none() | st.integers(0, 3)
LIFE_MS = st.none() | st.integers(-5, 20)
Answer = tuple[str, object]


def _answer(call: Callable[[], object]) -> Answer:
    try:
        return "ok", call()
    except ports.Conflict as conflict:
        return "conflict", conflict.found
    except ports.Refused:
        return "refused", None


class SameAnswers(stateful.RuleBasedStateMachine):
    """A store beside the memory store."""

    def __init__(self) -> None:
        super().__init__()
        self._leaving = contextlib.ExitStack()
        self._clock = memory.ManualClock()
        self._model: ports.Store = memory.Store(self._clock)
        self._store: ports.Store = self._opened()

    def _opened(self) -> ports.Store:
        raise NotImplementedError

    def teardown(self) -> None:
        self._leaving.close()

    def _same(self, call: Callable[[ports.Store], object]) -> None:
        expected = _answer(lambda: call(self._model))
        assert _answer(lambda: call(self._store)) == expected

    @stateful.rule(data=st.data(), keys=st.lists(KEYS, min_size=1, max_size=4))
    def transact(self, data: st.DataObject, keys: list[Key]) -> None:
        writes = [self._write(data, key) for key in keys]
        self._same(lambda store: store.transact(writes))

    def _write(self, data: st.DataObject, key: Key) -> ports.Write:
        kind = data.draw(st.sampled_from([Put, Put, Put, Delete, Check]))
        if kind is Check:
            return Check(key, data.draw(st.integers(0, 3)))
        if kind is Delete:
            return Delete(key, data.draw(EXPECT))
        life_ms = data.draw(LIFE_MS)
        expires_at = None if life_ms is None else self._clock.now() + life_ms
        return Put(key, data.draw(BODIES), data.draw(EXPECT), data.draw(INDEXES), expires_at)

    @stateful.rule(keys=st.lists(KEYS, max_size=5))
    def read(self, keys: list[Key]) -> None:
        self._same(lambda store: store.get_many(keys))
        self._same(lambda store: [store.get(key) for key in keys])

    @stateful.rule(
        partition=st.sampled_from(PARTITIONS),
        prefix=st.sampled_from(["", "a", "a#", "b", "😀"]),
        limit=st.integers(1, 4),
    )
    def query(self, partition: str, prefix: str, limit: int) -> None:
        def pages(store: ports.Store) -> list[ports.Item]:
            return _drain(lambda c: store.query(partition, prefix, limit=limit, cursor=c), limit)

        self._same(pages)

    @stateful.rule(
        index=st.sampled_from(["due", "class"]),
        partition=st.sampled_from(["d", "e"]),
        prefix=st.sampled_from(["", "2"]),
        until=st.sampled_from([None, "1", "2", "2#y"]),
        limit=st.integers(1, 4),
    )
    def query_index(
        self, index: str, partition: str, prefix: str, until: str | None, limit: int
    ) -> None:
        def pages(store: ports.Store) -> list[ports.Item]:
            found = _drain(
                lambda c: store.query_index(
                    index, partition, prefix=prefix, until=until, limit=limit, cursor=c
                ),
                limit,
            )
            # Items of one index key come in any order.
            return sorted(found, key=lambda item: (item.indexes[index], item.key))

        self._same(pages)

    @stateful.rule(ms=st.integers(1, 15))
    def pass_time(self, ms: int) -> None:
        self._clock.advance(ms / 1000)


class SqliteAnswers(SameAnswers):
    """SQLite, closed and opened again now and then."""

    def _opened(self) -> ports.Store:
        folder = self._leaving.enter_context(tempfile.TemporaryDirectory())
        self._path = Path(folder) / "store.db"
        self._database = sqlite.Database(self._path)
        return sqlite.Store(self._database, self._clock)

    def teardown(self) -> None:
        assert self._database.check() == []
        self._database.close()
        super().teardown()

    @stateful.rule()
    def reopen(self) -> None:
        self._database.close()
        self._database = sqlite.Database(self._path)
        self._store = sqlite.Store(self._database, self._clock)

    @stateful.rule()
    def sweep(self) -> None:
        assert isinstance(self._store, sqlite.Store)
        assert isinstance(self._model, memory.Store)
        assert self._store.sweep() == self._model.sweep()


def test_dynamodb_answers_the_same(stand: engines.Stand) -> None:
    class DynamodbAnswers(SameAnswers):
        def _opened(self) -> ports.Store:
            table = stand.table(servers.dynoxide, engines.INDEXES)
            connection = self._leaving.enter_context(table)
            return dynamodb.Store(connection, self._clock, clocks.SystemChance())

    stateful.run_state_machine_as_test(
        DynamodbAnswers,
        settings=settings(TestSqliteAnswers.settings, max_examples=15, stateful_step_count=30),
    )


def _drain(page: Callable[[str | None], ports.Page], limit: int) -> list[ports.Item]:
    items: list[ports.Item] = []
    found = page(None)
    for _ in range(len(PARTITIONS) * len(SORTS) + 1):
        assert len(found.items) <= limit
        items += found.items
        if found.cursor is None:
            return items
        found = page(found.cursor)
    raise AssertionError("the pages never end")


TestSqliteAnswers = SqliteAnswers.TestCase
TestSqliteAnswers.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
