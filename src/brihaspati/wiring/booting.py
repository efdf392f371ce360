"""What rented machines boot with and whom their agents' certificates come from, in both modes."""

from __future__ import annotations

import ssl

from brihaspati.domain.boot import Boot
from brihaspati.settings import Settings, SettingsError


def boot(chosen: Settings, agent_sha256: str) -> Boot:
    """What machines are told. Raises SettingsError when they would not find us."""
    if not chosen.machine_url:
        raise SettingsError(
            "rented machines must find this server: set BRIHASPATI_MACHINE_URL=https://..., an "
            "address of it that the internet reaches"
        )
    return Boot(
        chosen.machine_url,
        agent_sha256,
        trusted(chosen),
        chosen.machine_silent_seconds,
        chosen.cloud_home,
    )


def tls(chosen: Settings) -> ssl.SSLContext | None:
    """Whom to trust when asking agents; None: they serve without TLS. Raises SettingsError."""
    if chosen.acme is None:
        return None
    context = ssl.create_default_context()
    if trust := trusted(chosen):
        try:
            context.load_verify_locations(cadata=trust)
        except ssl.SSLError as error:
            raise SettingsError(f"BRIHASPATI_TRUST={chosen.trust}: {error}") from error
    return context


def trusted(chosen: Settings) -> str:
    """Certificates that are trusted besides the system's, PEM."""
    if chosen.trust is None:
        return ""
    try:
        return chosen.trust.read_text()
    except (OSError, ValueError) as error:
        raise SettingsError(f"BRIHASPATI_TRUST={chosen.trust}: {error}") from error
