"""Names of rented machines: a zone of a cloud, an issuer, and what keeps their keys."""

from __future__ import annotations

from pathlib import Path

import certifi

from brihaspati import ports
from brihaspati.adapters import keyring, vault
from brihaspati.adapters.rented.rental import Rental
from brihaspati.adapters.rented.shapes import Trouble
from brihaspati.adapters.rented.zones import Zone
from brihaspati.engine.world import Naming
from brihaspati.entrypoints.cli.shop import CannotRun
from brihaspati.settings import Settings
from brihaspati.wiring import booting

ACCOUNT_FILE = "acme.key"
TRUST_FILE = "issuer-trust.pem"


def naming(chosen: Settings, secrets: ports.Secrets, clouds: dict[str, Rental]) -> Naming | None:
    """What the settings say; None for machines with addresses only."""
    if not chosen.names.zone or chosen.acme is None:
        return None
    # The library of certificates is for those few who have a zone.
    from brihaspati.adapters import acmedns  # noqa: PLC0415

    issuer = acmedns.Issuer(chosen.acme, _trust(chosen), chosen.names.settle_seconds)
    account = keyring.kept(chosen.data / ACCOUNT_FILE, acmedns.new_key)
    return Naming(
        zone_of(chosen, clouds),
        acmedns.AcmeDns(issuer, account),
        vault.Vault(secrets.mac("names", b"keys of names")),
        chosen.names.stock,
    )


def zone_of(chosen: Settings, clouds: dict[str, Rental]) -> Zone:
    """The zone in its account."""
    account = next(one for one in clouds.values() if one.cloud.name == chosen.names.dns)
    return Zone(chosen.names.zone, account.cloud.records(chosen.names.zone))


def check(chosen: Settings, clouds: dict[str, Rental]) -> None:
    """Whether the account has the zone and its token may read it. Raises CannotRun."""
    if not chosen.names.zone:
        return
    try:
        zone_of(chosen, clouds).check()
    except Trouble as trouble:
        raise CannotRun(
            f"BRIHASPATI_NAMES={chosen.names.zone!r}: {chosen.names.dns} says: {trouble.text}; add "
            "the zone to that account, and its scopes to the token"
        ) from trouble


def _trust(chosen: Settings) -> Path | None:
    """The usual certificates and those of the settings, in one file as the library wants it."""
    more = booting.trusted(chosen)
    if not more:
        return None
    path = chosen.data / TRUST_FILE
    path.write_text(f"{Path(certifi.where()).read_text()}\n{more}")
    return path
