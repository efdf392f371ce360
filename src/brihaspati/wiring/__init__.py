"""The composition root: the only room that may know every other.

`embedded` puts one machine together, `hosts` whoever runs labs on it, `shop` hands it to the
command line. Importing this package imports none of them: a function in the cloud needs few.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from brihaspati.wiring.shop import LocalShop


def open_shop(given: Mapping[str, str]) -> LocalShop:
    """The house as the environment and the command line set it up. Raises SettingsError."""
    from brihaspati import settings  # noqa: PLC0415
    from brihaspati.wiring.shop import LocalShop  # noqa: PLC0415

    return LocalShop(settings.read(given))


def main() -> int:
    """The command `brihaspati`."""
    from brihaspati.entrypoints.cli import main as command_line  # noqa: PLC0415

    return command_line.main(open_shop)
