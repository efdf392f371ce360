"""The emulator of AWS with the time of its queues and schedules in a test's hand.

Run with the Python of .venv-emulators. EMULATOR_CLOCK names a file that holds the moment in
milliseconds. Beside it, `.alarms` holds the moment of the schedules, so that they fire when a test
lets them, and `.ticks` counts how often they were looked at.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from ministack.app import main
from ministack.services import eventbridge, scheduler, sqs

CLOCK = Path(os.environ["EMULATOR_CLOCK"])
ALARMS = CLOCK.with_suffix(".alarms")
TICKS = CLOCK.with_suffix(".ticks")


class HandTime:
    """The module `time`, but for what time it is: that of a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def time(self) -> float:
        """Seconds since the epoch."""
        return int(self.path.read_text()) / 1000

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def counted(tick: Any) -> Any:
    """A look at the schedules that is counted when it is over."""
    count = 0

    def look() -> None:
        nonlocal count
        tick()
        count += 1
        aside = TICKS.with_suffix(".new")
        aside.write_text(str(count))
        aside.rename(TICKS)

    return look


sqs.time = eventbridge.time = HandTime(CLOCK)
scheduler.time = HandTime(ALARMS)
scheduler._SCHEDULE_TICK_INTERVAL = 0.02
scheduler._tick_schedules = counted(scheduler._tick_schedules)
main()
