"""The wall of a rented machine's own, which only root can close."""

from __future__ import annotations

import subprocess

from brihaspati_agent import places

_NFT_SECONDS_MAX = 20


def close(rules: str) -> None:
    """Close what the lab may not reach, as far as we can; the cloud's wall is the surer one.

    Raises PlaceError.
    """
    try:
        done = subprocess.run(
            ["nft", "-f", "-"],
            input=rules.encode(),
            capture_output=True,
            timeout=_NFT_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise places.PlaceError(str(error)) from error
    if done.returncode != 0:
        raise places.PlaceError(done.stderr.decode(errors="replace")[:300])
