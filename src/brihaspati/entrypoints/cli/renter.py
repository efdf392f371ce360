"""What the command line asks of an account in which machines are rented."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from brihaspati.domain.labs import Lab
from brihaspati.engine.engine import Engine


class Renter(Protocol):
    """What can be done with an account. Each method raises CannotRun."""

    def smoke(self, engine: Engine) -> str:
        """Rent a machine, see it run, see it gone; how long each took, in words."""
        ...

    def cost(self) -> str:
        """What a trial may cost, in words."""
        ...

    def there(self) -> Sequence[str]:
        """The labels of every machine of the environment."""
        ...

    def stop_all(self) -> int:
        """End them all and see that they are gone; how many there were."""
        ...

    def bake(self, engine: Engine, lab: Lab) -> Sequence[str]:
        """Snapshots of the lab's machines with their setup done: their names."""
        ...
