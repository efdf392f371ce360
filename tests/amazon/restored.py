"""One environment that has been imported, and goes on twice: as from one snapshot of SnapStart.

Reads lists of events as JSON, one for each life; prints what the handler answered in each. A fork
seeds Python's `random` anew, and a restore does not: that module the linter keeps out of the
product (S311), whose chance is the operating system's.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any


def main(name: str) -> None:
    """`name`: the function, whose module is imported before there are two."""
    handler = importlib.import_module(f"brihaspati.wiring.functions.{name}").handler
    lives = json.load(sys.stdin)
    answers = [_live(handler, events) for events in lives]
    print(json.dumps(answers))  # noqa: T201 - the test reads it


def _live(handler: Any, events: list[Any]) -> Any:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as told:
            json.dump([handler(event, None) for event in events], told)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as heard:
        answers = heard.read()
    os.waitpid(child, 0)
    return json.loads(answers)


if __name__ == "__main__":
    main(sys.argv[1])
