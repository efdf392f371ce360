"""Accounts of clouds in which machines may be rented, without what their agents need."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from brihaspati.adapters.rented import rental
from brihaspati.adapters.rented.rental import Rental
from brihaspati.adapters.rented.shapes import Cloud, Trouble
from brihaspati.domain.labs import MachineSpec
from brihaspati.settings import CloudSettings, Settings


class Unusable(Exception):  # noqa: N818 - said to a person
    """An account that cannot be rented in: which setting says so, and what to set instead."""


def providers(chosen: Settings) -> dict[str, Rental]:
    """One for each region of each cloud: the usual region under the cloud's own name."""
    found: dict[str, Rental] = {}
    for account in chosen.clouds:
        making, sweeping = _clouds(account)
        for at, region in enumerate(account.regions):
            name = account.name if at == 0 else f"{account.name}-{region}"
            options = rental.Options(
                env=chosen.env,
                region=region,
                image=account.image,
                name=name,
                others=frozenset(account.regions) - {region},
                home=chosen.cloud_home,
            )
            found[name] = Rental(making, sweeping, options)
    return found


def _clouds(account: CloudSettings) -> tuple[Cloud, Cloud]:
    """The account by the token that creates, and by the one that lists and deletes."""
    making = _cloud(account, account.token)
    if account.sweep_token == account.token:
        return making, making
    return making, _cloud(account, account.sweep_token)


def _cloud(account: CloudSettings, token: str) -> Cloud:
    # httpx is for those few who rent.
    match account.name:
        case "digitalocean":
            from brihaspati.adapters.rented.digitalocean import api as digitalocean  # noqa: PLC0415

            return digitalocean.DigitalOcean(
                digitalocean.Options(token, account.url, account.ssh_key)
            )
        case "linode":
            from brihaspati.adapters.rented.linode import api as linode  # noqa: PLC0415

            return linode.Linode(linode.Options(token, account.url))


def check(account: CloudSettings, found: dict[str, Rental]) -> None:
    """Whether the account is as the settings say, in a handful of questions. Raises Unusable.

    Args:
        account: what was set.
        found: the providers of all accounts.
    """
    mine = [one for one in found.values() if one.cloud.name == account.name]
    prefix = account.name.upper()
    with naming(account, "TOKEN"):
        regions = {region.name: region for region in mine[0].cloud.regions()}
        fit = ", ".join(sorted(name for name, region in regions.items() if region.fit))
        for one in mine:
            there = regions.get(one.options.region)
            if there is None or not there.fit:
                why = "has no such region" if there is None else "takes no machines there now"
                raise Unusable(
                    f"{prefix}_REGIONS={one.options.region!r}: {account.name} {why}; choose from"
                    f" {fit or 'none'}"
                )
            one.catalogue.refresh()
            if one.catalogue.fit(MachineSpec("main")) is None:
                raise Unusable(
                    f"{prefix}_REGIONS={one.options.region!r}: {account.name} has no machine there"
                    f" that a lab fits in; choose from {fit}"
                )
        if mine[0].cloud.system(account.image) is None:
            raise Unusable(
                f"{prefix}_IMAGE={account.image!r}: {account.name} has no such image; leave it out"
                " for the usual one"
            )
    with naming(account, sweep_setting(account)):
        mine[0].sweeper.machines(rental.tag_of(mine[0].options.env))


@contextlib.contextmanager
def naming(account: CloudSettings, token: str) -> Iterator[None]:
    """What the cloud says of a request, with the setting that mends it. Raises Unusable."""
    try:
        yield
    except Trouble as trouble:
        raise Unusable(said(account, trouble, token)) from trouble


def said(account: CloudSettings, trouble: Trouble, token: str) -> str:
    """A trouble in one line for whoever set the account up."""
    setting = {"auth": token, "unsent": "API_URL"}.get(trouble.kind)
    fix = f"; check {account.name.upper()}_{setting}" if setting else ""
    return f"{account.name}: {trouble.text.rstrip('.')}{fix}"


def sweep_setting(account: CloudSettings) -> str:
    """Which setting has the token that lists and deletes."""
    return "SWEEP_TOKEN" if account.sweep_token != account.token else "TOKEN"
