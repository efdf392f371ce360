"""Writing: one operation as a plain conditional write, several as one transaction.

A write whose reply was lost is sent again, and then meets its own success. The name of the writer
on the row, and the token of a transaction, tell it from somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pynamodb import exceptions as faults
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from brihaspati import ports
from brihaspati.adapters.dynamodb import patience
from brihaspati.adapters.dynamodb.connection import Connection
from brihaspati.adapters.dynamodb.table import Row, filled

_FAILED = "ConditionalCheckFailed"
_NAME_LETTERS = 16
Stored = Callable[[Sequence[ports.Key]], dict[ports.Key, Row]]


@dataclass(frozen=True, slots=True)
class _Step:
    """One write with the version it really expects: a Put that does not care has looked."""

    write: ports.Write
    text: str
    expect: int | None

    @property
    def version(self) -> int:
        """The version it makes."""
        return (self.expect or 0) + 1 if isinstance(self.write, ports.Put) else 0


class _Met(Exception):  # noqa: N818 - never leaves this module
    """Some conditions did not hold; `places` of the writes."""

    def __init__(self, places: Sequence[int]) -> None:
        super().__init__()
        self.places = places


class Writer:
    """Carries out transactions. `stored` reads rows strongly, expired ones too."""

    def __init__(
        self,
        connection: Connection,
        chance: ports.Chance,
        patience_: patience.Patience,
        stored: Stored,
    ) -> None:
        self._connection = connection
        self._chance = chance
        self._patience = patience_
        self._stored = stored

    def write(
        self, writes: Sequence[ports.Write], texts: Sequence[str], now: ports.Moment
    ) -> tuple[int, ...]:
        """The new versions. Raises Conflict, Busy or Refused."""
        careless = [at for at, one in enumerate(writes) if _does_not_care(one)]
        for tries in range(patience.TRIES_MAX):
            steps = self._steps(writes, texts, careless, now)
            attempt = _Attempt(self._connection, steps, now, self._chance.name(_NAME_LETTERS))
            try:
                self._patience.with_(attempt)
            except _Met as met:
                rows = self._stored([writes[at].key for at in met.places])
                if any(row.w == attempt.writer for row in rows.values()):
                    return tuple(step.version for step in steps)  # an answer was lost: it was us
                found = {at: _item(rows.get(writes[at].key), now) for at in met.places}
                minded = {at: item for at, item in found.items() if at not in careless}
                if minded:
                    raise ports.Conflict(minded) from None
                self._patience.wait(tries)
            else:
                return tuple(step.version for step in steps)
        raise ports.Busy("others write the same items again and again")

    def _steps(
        self,
        writes: Sequence[ports.Write],
        texts: Sequence[str],
        careless: Sequence[int],
        now: ports.Moment,
    ) -> list[_Step]:
        rows = self._stored([writes[at].key for at in careless]) if careless else {}
        expected: dict[int, int] = {}
        for at in careless:
            row = rows.get(writes[at].key)
            expected[at] = int(row.v) if row is not None and row.is_alive(now) else 0
        return [
            _Step(write, text, expected.get(at, write.expect))
            for at, (write, text) in enumerate(zip(writes, texts, strict=True))
        ]


class _Attempt:
    """One set of writes, to be sent until there is an answer."""

    def __init__(
        self, connection: Connection, steps: Sequence[_Step], now: ports.Moment, writer: str
    ) -> None:
        self.writer = writer
        self._connection = connection
        self._steps = steps
        self._now = now
        self._row = connection.row()

    def __call__(self) -> None:
        """Send it. Raises _Met, NotNow, Refused or Unusable."""
        try:
            if len(self._steps) == 1 and self._is_plain(self._steps[0]):
                self._send_plain(self._steps[0])
            else:
                self._send_together()
        except faults.TransactWriteError as error:
            raise self._cancelled(error) from error
        except faults.PynamoDBException as error:
            if patience.code_of(error) == "ConditionalCheckFailedException":
                raise _Met([0]) from error
            raise patience.translated(error, self._connection.place.table) from error

    def _is_plain(self, step: _Step) -> bool:
        """Deleting what has a version leaves nothing that says who did: that needs a token."""
        return not (isinstance(step.write, ports.Delete) and step.expect)

    def _send_plain(self, step: _Step) -> None:
        condition = self._condition(step.expect)
        match step.write:
            case ports.Put() as put:
                self._filled(put, step).save(condition=condition)
            case ports.Delete(key):
                self._row(key.partition, key.sort).delete(condition=condition)
            case ports.Check(key, expect):
                self._check(key, expect)

    def _check(self, key: ports.Key, expect: int) -> None:
        """A check alone is a read."""
        try:
            found = self._row.get(key.partition, key.sort, consistent_read=True)
            version = int(found.v) if found.is_alive(self._now) else 0
        except faults.DoesNotExist:
            version = 0
        if version != expect:
            raise _Met([0])

    def _send_together(self) -> None:
        connection = self._connection.table().connection
        with TransactWrite(client_request_token=self.writer, connection=connection) as together:
            for step in self._steps:
                condition, key = self._condition(step.expect), step.write.key
                match step.write:
                    case ports.Put() as put:
                        together.save(self._filled(put, step), condition=condition)
                    case ports.Delete():
                        gone = self._row(key.partition, key.sort)
                        together.delete(gone, condition=condition)
                    case ports.Check():
                        together.condition_check(
                            self._row, key.partition, key.sort, condition=condition
                        )

    def _cancelled(self, error: faults.TransactWriteError) -> Exception:
        """What a transaction that was not written met."""
        reasons = list(zip(self._order(), error.cancellation_reasons, strict=False))
        met = sorted(at for at, reason in reasons if reason and reason.code == _FAILED)
        if met:
            return _Met(met)
        codes = sorted({reason.code for _, reason in reasons if reason})
        if codes and all(code in patience.PASSING for code in codes):
            return patience.NotNow(", ".join(codes))
        if codes:
            texts = [reason.message or reason.code for _, reason in reasons if reason]
            return ports.Refused(f"DynamoDB refuses it: {'; '.join(texts)}")
        return patience.translated(error, self._connection.place.table)

    def _order(self) -> list[int]:
        """Places of the writes as PynamoDB sends them: checks, then deletes, then puts."""
        kinds = (ports.Check, ports.Delete, ports.Put)
        return [
            at
            for kind in kinds
            for at, step in enumerate(self._steps)
            if isinstance(step.write, kind)
        ]

    def _filled(self, put: ports.Put, step: _Step) -> Row:
        return filled(self._row, put, step.text, step.version, self.writer)

    def _condition(self, expect: int | None) -> Condition | None:
        row = self._row
        found: Condition | None = None
        if expect == 0:
            found = row.pk.does_not_exist() | (row.e <= self._now)
        elif expect is not None:
            found = (row.v == expect) & (row.e.does_not_exist() | (row.e > self._now))
        return found


def _does_not_care(write: ports.Write) -> bool:
    return isinstance(write, ports.Put) and write.expect is None


def _item(row: Row | None, now: ports.Moment) -> ports.Item | None:
    return row.item() if row is not None and row.is_alive(now) else None
