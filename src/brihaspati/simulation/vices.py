"""What can go wrong, each with how likely at most; a seed switches some on, more or less strongly.

A world in which everything fails all the time finds little: nothing ever gets far enough to break
in an interesting way. So every seed has its own weather, from calm to storm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from brihaspati.simulation.agenda import Tell, quiet
from brihaspati.simulation.dice import Dice

# Probabilities are per call (or per machine, or per class where the name says so).
VICES: dict[str, float] = {
    # --- the provider's creates
    "create fails before": 0.2,
    "create times out, nothing made": 0.2,
    "create times out, machine made": 0.25,
    "create rate limited": 0.25,
    "create accepted, then vanishes": 0.1,
    "sold out": 0.2,
    "account limit": 0.05,
    # --- its lists
    "list lags": 1.0,
    "list misses machines": 0.05,
    "look-up unanswered": 0.15,
    # --- its deletes
    "delete lies": 0.3,
    "delete unanswered": 0.2,
    "delete says gone early": 0.2,
    "deletes fail for an hour": 1.0,
    # --- machines
    "machine boots late": 0.3,
    "machine never boots": 0.1,
    "machine dies": 0.1,
    "machine loses its network": 0.1,
    "agent lies about readiness": 0.1,
    "operator deletes by hand": 0.1,
    "strangers' machines": 1.0,
    # --- queue and timer
    "message repeated": 0.2,
    "message late": 0.2,
    "message hours late": 0.02,
    "message lost": 0.1,
    "alarm late": 0.2,
    "alarm twice": 0.2,
    "alarm never": 0.1,
    # --- store
    "store busy": 0.03,
    "store conflict": 0.05,
    "store reply lost": 0.03,
    "index stale": 1.0,
    "index misses items": 0.15,
    "short pages": 0.3,
    # --- our own processes
    "process killed": 0.02,
    "background work lost": 0.2,
    "clock skew": 1.0,
    "others come between": 0.15,
    "sweeper sleeps": 1.0,
}


# What may delay news, or our reaction to it, by more than the repetition of a message.
SLOWING = (
    "create times out, machine made",
    "list lags",
    "message late",
    "message hours late",
    "message lost",
    "alarm late",
    "alarm never",
    "store reply lost",
    "process killed",
    "background work lost",
    "others come between",
)


class Weather:
    """How likely each vice is in this world, and how often each has struck.

    Every vice has chance of its own: a world without one of them is else the same, which is what
    makes a failing history smaller. `calm` ends them all: what is promised at rest is checked then.
    """

    def __init__(self, chances: Mapping[str, float], dice: Dice, tell: Tell = quiet) -> None:
        self.chances = dict(chances)
        self.calm = False
        self.struck: Counter[str] = Counter()
        self._odds = {vice: (chance, dice.part(vice).share) for vice, chance in chances.items()}
        self._tell = tell

    def strikes(self, vice: str) -> bool:
        """Whether it happens now; counted."""
        odds = self._odds.get(vice)
        if odds is None or self.calm or odds[1]() >= odds[0]:
            return False
        self.struck[vice] += 1
        self._tell(f"! {vice}")
        return True

    def may_strike(self, vice: str) -> bool:
        """Whether it can ever happen here: where it cannot, nobody asks at each call."""
        return vice in self._odds

    def rules(self, vice: str) -> bool:
        """Whether a vice that is there or not, for the whole of a world, is there."""
        return vice in self.chances


def weather(dice: Dice, only: frozenset[str] | None = None, tell: Tell = quiet) -> Weather:
    """The weather of a world. `only`: the vices that may be there (None: all)."""
    share = dice.choose((0.0, 0.1, 0.3, 0.6))
    chances = {}
    for vice, most in VICES.items():
        there, strength = dice.happens(share), 0.1 + 0.9 * dice.share()
        if there and (only is None or vice in only):
            chances[vice] = most * strength
    return Weather(chances, dice.part("strikes"), tell)
