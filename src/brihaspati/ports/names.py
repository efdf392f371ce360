"""Names of rented machines: where they are found, and who certifies them ahead of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from brihaspati.ports import Moment

Kind = Literal["A", "AAAA", "TXT"]


class Zone(Protocol):
    """A zone of DNS. Hosts are whole names below `name`, in lower case; every call may be repeated.

    All raise `ports.Unclear` when it is not known to have been done.
    """

    name: str

    def add(self, host: str, kind: Kind, value: str, *, new: bool = False) -> None:
        """Have a record, beside others of this host; one that is there already is enough.

        `new`: it was certainly not asked for before, so there is nothing to look for.
        """
        ...

    def values(self, host: str) -> list[tuple[str, str]]:
        """Kind and value of each record of a host."""
        ...

    def remove(self, host: str) -> None:
        """Ask for the end of every record of a host; absent is fine."""
        ...

    def hosts(self) -> list[str]:
        """Every host that has a record."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate for a host and all names right below it, and its key; both PEM."""

    chain: str
    key: str
    expires_at: Moment


class NotCertified(Exception):  # noqa: N818 - a normal answer, named for what it is
    """The issuer did not do it; the text is for an operator."""


class Certifier(Protocol):
    """An issuer that believes whoever can write into the zone."""

    def certify(self, hosts: Sequence[str], zone: Zone) -> Mapping[str, Identity]:
        """An identity for each host, each with a key of its own; takes minutes.

        Those that failed are missing. Raises NotCertified when there is none.
        """
        ...

    def revoke(self, chain: str) -> None:
        """Have a certificate believed no more; safe to repeat. Raises NotCertified."""
        ...


class Vault(Protocol):
    """Keeps texts that the store must not have in plain; `name` says of whom, and must be right."""

    def seal(self, text: str, name: str) -> str:
        """The text, unreadable."""
        ...

    def open(self, sealed: str, name: str) -> str:
        """The text again. Raises ValueError for what was sealed for another or by another key."""
        ...
