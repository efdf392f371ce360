"""The composition root: the only room that may know every other.

`embedded` puts one machine together, `hosts` whoever runs labs on it, `shop` hands it to the
command line, and `cloudshop` a deployment on AWS. Importing this package imports none of them: a
function in the cloud needs few.
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

    chosen = settings.read(given)
    if not chosen.aws.stage:
        return LocalShop(chosen)
    try:
        from brihaspati.wiring.cloudshop import CloudShop  # noqa: PLC0415
    except ModuleNotFoundError as error:
        fix = "`make install-dev`, or pip install 'brihaspati[aws]'"
        raise settings.SettingsError(f"--stage needs {error.name}: {fix}") from error
    return CloudShop(chosen)


def main() -> int:
    """The command `brihaspati`."""
    from brihaspati.entrypoints.cli import main as command_line  # noqa: PLC0415

    return command_line.main(open_shop)
