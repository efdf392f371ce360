"""An account of a cloud as the command line uses it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import get_args

from brihaspati import ports
from brihaspati.adapters.rented import duties
from brihaspati.adapters.rented.shapes import Trouble
from brihaspati.domain import bakery
from brihaspati.domain.labs import Lab, MachineSpec
from brihaspati.engine import errands
from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.cli.shop import CannotRun, Progress
from brihaspati.settings import ENV_PATTERN, CloudName, Settings
from brihaspati.wiring import accounts

RENTING: tuple[CloudName, ...] = get_args(CloudName)
SMOKE_SECONDS_MAX = 3_600
BAKE_SECONDS_MAX = 2 * 3_600


class AccountRenter:
    """One cloud of the settings; every method raises CannotRun."""

    def __init__(self, chosen: Settings, cloud: str | None, env: str | None, say: Progress) -> None:
        chosen = replace(chosen, env=_possible(env)) if env is not None else chosen
        found = accounts.providers(chosen)
        name = cloud or chosen.provider
        if name not in RENTING:
            raise CannotRun(f"{name} rents no machines; say --cloud {' or --cloud '.join(RENTING)}")
        if name not in found:
            raise CannotRun(f"set {name.upper()}_TOKEN to rent machines of {name}")
        self._found, self._rented = found, found[name]
        self._account = next(one for one in chosen.clouds if one.name == self._rented.cloud.name)
        self._regions = tuple(
            one.options.region for one in found.values() if one.cloud.name == name
        )
        self._progress = say
        self._checked = False

    def _say(self, what: str) -> None:
        self._progress(what, None)

    def cost(self) -> str:
        """By the catalogue: a minute at one cloud, a begun hour at the other."""
        self._check()
        with self._words():
            price = self._rented.price_micros_per_hour(MachineSpec("main")) / 1_000_000
        return f"at {price:.4f} USD an hour, one cent at DigitalOcean, one hour at Linode"

    def smoke(self, engine: Engine) -> str:
        """Rent a machine, see it run, see it gone."""
        self._check()
        with self._words(), errands.errand(engine.world, "smoke", SMOKE_SECONDS_MAX) as label:
            seen = duties.smoke(self._rented, label, self._say)
        return (
            f"{seen.label} ({seen.size}): answered after {seen.answered:.1f} s, listed after"
            f" {seen.listed:.1f} s, active after {seen.active:.1f} s, gone after {seen.gone:.1f} s"
        )

    def there(self) -> Sequence[str]:
        """The labels of every machine of the environment."""
        with self._words(accounts.sweep_setting(self._account)):
            return [machine.label for machine in self._rented.inventory()]

    def stop_all(self) -> int:
        """End them all and see that they are gone."""
        with self._words():
            return duties.stop_all(self._rented, self._say)

    def bake(self, engine: Engine, lab: Lab) -> Sequence[str]:
        """A snapshot for each machine of a lab that may be baked."""
        self._check()
        names = []
        for spec in lab.machines:
            if not bakery.can_bake(spec):
                continue
            with self._words(), errands.errand(engine.world, "builder", BAKE_SECONDS_MAX) as label:
                data = bakery.user_data(spec)
                recipe = duties.Recipe(label, spec, data, self._regions)
                names.append(duties.bake(self._rented, recipe, self._say).name)
        with self._words():
            duties.retire(self._rented, _specs(engine), self._say)
        return names

    def _check(self) -> None:
        """Whether the account is as the settings say; asked once."""
        if not self._checked:
            with self._words():
                accounts.check(self._account, self._found)
            self._checked = True

    @contextlib.contextmanager
    def _words(self, asked_by: str = "TOKEN") -> Iterator[None]:
        """What went wrong in one line; `asked_by`: the setting with the token."""
        try:
            yield
        except Trouble as trouble:
            raise CannotRun(accounts.said(self._account, trouble, asked_by)) from trouble
        except (ports.Unclear, ports.CreateRefused) as error:
            cause = error.__cause__
            known = (
                accounts.said(self._account, cause, asked_by) if isinstance(cause, Trouble) else ""
            )
            raise CannotRun(known or str(error)) from error
        except (accounts.Unusable, duties.Undone) as error:
            raise CannotRun(str(error)) from error


def _specs(engine: Engine) -> list[MachineSpec]:
    """The machines of every lab that some class delivers, or a new one would."""
    pinned = {pin for room in engine.classes.all() for pin in room.labs}
    found = [engine.classes.lab(name, version) for name, version in pinned]
    found += engine.classes.catalogue()
    return [spec for lab in found for spec in lab.machines]


def _possible(env: str) -> str:
    """Raises CannotRun for a name that no deployment has: of it there is never anything left."""
    if not re.fullmatch(ENV_PATTERN, env):
        raise CannotRun(f"--env {env!r} must be 1 to 12 lower-case letters and digits, as staging1")
    return env
