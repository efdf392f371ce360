"""`make cloud-test`: the cloud mode deployed to an emulator of AWS, and a class held on it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from rehearsal import stage, story
from rehearsal.account import Failed

KEPT = Path("var/rehearsal")


def main() -> int:
    """Play the story; exit status 1 where it stops."""
    with stage.opened() as on:
        told = story.Story(on)
        try:
            told.play(told.short() if sys.argv[1:] == ["--short"] else told.whole())
        except Exception as error:  # whatever it is, where it stopped is said
            sys.stdout.write(f"STOPPED at: {told.step}\n{type(error).__name__}: {error}\n")
            sys.stdout.write(on.what_was())
            KEPT.mkdir(parents=True, exist_ok=True)
            for kept in (on.folder / "record", on.folder / "emulator.log"):
                if kept.exists():
                    shutil.copy(kept, KEPT)
            sys.stdout.write(f"more is in {KEPT}/record and emulator.log\n")
            if not isinstance(error, Failed):
                raise
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
