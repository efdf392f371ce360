"""Trying again: what DynamoDB answers that is no answer, and how long to wait before the next try.

Which try was heard nobody knows. So a write carries a name (`table.Row.w`, and the token of a
transaction) by which its own success is told from another's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from botocore import exceptions as wire
from pynamodb import exceptions as faults

from brihaspati import ports
from brihaspati.adapters.dynamodb.place import Unusable

TRIES_MAX = 8
_FIRST_MS = 50
_PAUSE_MS_MAX = 1_000
_GRAIN = 1_000

# Not now: too much at once, or something of theirs broke. Trying again is right.
PASSING = frozenset(
    {
        "InternalServerError",
        "ItemCollectionSizeLimitExceeded",
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_FIXES = {
    "ResourceNotFoundException": "deploy first, or correct BRIHASPATI_TABLE",
    "AccessDeniedException": "the role of this function or person needs it",
    "UnrecognizedClientException": "the AWS keys in use are not known there",
    "ExpiredTokenException": "sign in to AWS again",
}
_Answer = TypeVar("_Answer")
Pause = Callable[[float], None]


class NotNow(Exception):  # noqa: N818 - never leaves this folder
    """The call did not succeed this time and may the next."""


class Patience:
    """Waits longer and longer, never as long as anybody else who began to wait with us."""

    def __init__(self, chance: ports.Chance, pause: Pause) -> None:
        self._chance = chance
        self._pause = pause

    def with_(self, call: Callable[[], _Answer]) -> _Answer:
        """What a call answers in the end. Raises Busy when it never does."""
        for tries in range(TRIES_MAX):
            try:
                return call()
            except NotNow as error:
                if tries == TRIES_MAX - 1:
                    raise ports.Busy(f"DynamoDB did not answer {TRIES_MAX} times: {error}") from (
                        error
                    )
            self.wait(tries)
        raise AssertionError("unreachable")

    def wait(self, tries: int) -> None:
        """Pause after so many failed tries."""
        most_ms = min(_PAUSE_MS_MAX, _FIRST_MS << tries)
        self._pause(most_ms * (1 + self._chance.pick(_GRAIN)) / _GRAIN / 1000)


def code_of(error: faults.PynamoDBException) -> str:
    """DynamoDB's name for what went wrong; "" when there was no answer at all."""
    # PynamoDB has a property for this, which breaks on botocore's errors of the network itself.
    found: str = (getattr(error.cause, "response", None) or {}).get("Error", {}).get("Code", "")
    return found


def translated(error: faults.PynamoDBException, table: str) -> Exception:
    """What to raise for an error that is no conflict."""
    code = code_of(error)
    if code in PASSING or code.startswith("5"):
        return NotNow(code)
    if code == "ValidationException":
        return ports.Refused(f"DynamoDB refuses it: {error.cause}")
    if isinstance(error.cause, wire.NoCredentialsError | wire.NoRegionError):
        return Unusable(f"cannot ask DynamoDB: {error.cause}; set up the AWS environment")
    if not code:
        return NotNow(str(error.cause))
    return Unusable(f"DynamoDB refuses the table {table}: {error.cause} ({_FIXES.get(code, code)})")
