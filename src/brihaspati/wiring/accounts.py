"""Accounts of clouds in which machines may be rented, without what their agents need."""

from __future__ import annotations

from brihaspati.adapters.rented import rental
from brihaspati.adapters.rented.rental import Rental
from brihaspati.adapters.rented.shapes import Cloud
from brihaspati.settings import CloudSettings, Settings


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
