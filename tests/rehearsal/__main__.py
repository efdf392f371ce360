"""`make cloud-test`: the cloud mode deployed to an emulator of AWS, and a class held on it."""

from __future__ import annotations

import sys

from rehearsal import stage, story
from rehearsal.account import Failed
from rehearsal.stage import Stage

LOG_LETTERS_MAX = 3000
SHOWN = 4


def main() -> int:
    """Play the story; exit status 1 where it stops."""
    with stage.opened() as on:
        told = story.Story(on)
        try:
            told.play()
        except Exception as error:  # whatever it is, where it stopped is said
            sys.stdout.write(f"STOPPED at: {told.step}\n{type(error).__name__}: {error}\n")
            sys.stdout.write(_what_was(on))
            if not isinstance(error, Failed):
                raise
            return 1
    return 0


def _what_was(on: Stage) -> str:
    """What functions were refused, and the logs of those that failed or ran last."""
    refused = [note for note in on.aws.notes("asked") if note["refused"]]
    lines = [f"refused: {n['role']} {n['action']} {n['resource']}" for n in refused]
    ran = on.aws.notes("ran")
    troubled = [note for note in ran if note["failed"] or "Error" in note["log"]]
    for note in [*troubled[-SHOWN:], *ran[-SHOWN:]]:
        what = f"{note['function']} {note['route'] or ''} {note['seconds']:.1f} s"
        lines += [f"--- {what}: {note['answer']}", note["log"]]
    lines += [f"machines: {on.labels()}", on.consoles()]
    log = (on.folder / "emulator.log").read_text()
    return "\n".join([*lines, "--- the emulator said last", log[-LOG_LETTERS_MAX:], ""])


if __name__ == "__main__":
    sys.exit(main())
