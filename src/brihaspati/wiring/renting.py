"""Who rents machines for functions that may: by tokens from the parameter store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from brihaspati import ports
from brihaspati.domain.effects import Duty
from brihaspati.settings import CloudSettings, Settings
from brihaspati.wiring import accounts

Text = Callable[[str], str]


def providers(
    chosen: Settings, text: Text, duties: frozenset[Duty]
) -> Mapping[str, ports.Provider]:
    """One for each region of each account. Raises MissingSecret."""
    owned = tuple(_with_token(account, text, duties) for account in chosen.clouds)
    return {**accounts.providers(replace(chosen, clouds=owned))}


def _with_token(account: CloudSettings, text: Text, duties: frozenset[Duty]) -> CloudSettings:
    """The account with its token: from the environment on a bench, else from the parameters.

    Who only ends has the one that lists and deletes, and may not even read the other.
    """
    if account.token:
        return account
    token = text(f"{account.name}-{'token' if 'start' in duties else 'sweep-token'}")
    return replace(account, token=token, sweep_token=token)
