"""Every bench, one after another, each in a process of its own: `make bench`."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench import figures
from bench.figures import Figure

SECONDS_MAX = 240
SECONDS_MAX_QUICK = 60
# Machines that boot, certificates, and what else runs on this host; all pages, each six times.
SECONDS_MAX_OF = {"rented": 240, "pages": 480}
END_SECONDS_MAX = 70


def _store(row: dict[str, Any]) -> Iterator[Figure]:
    """A row of `bench.store`."""
    who = f"{row['processes']} x {row['threads']}{'' if row['gate'] else ', no gate'}"
    yield Figure(
        "store",
        f"{row['what']}, {who}, p50",
        row["p50_ms"],
        "ms",
        beside=f"{row['floor'] or ''} ({row['per_second']} a second)".strip(),
        ratio=row["times_floor"],
    )


# Those that print figures by themselves, and those whose rows are made into figures here.
BENCHES: dict[str, Callable[[dict[str, Any]], Iterator[Figure]] | None] = {
    "play": None,
    "class_start": None,
    "terminal": None,
    "restore": None,
    "idle": None,
    "leaks": None,
    "rented": None,
    "pages": None,
    "worlds": None,
    "store": _store,
}
HAS_QUICK = frozenset(BENCHES) - {"store"}


def run(name: str, *, quick: bool) -> tuple[list[Figure], str | None]:
    """The figures of one bench, and what went wrong with it, if anything."""
    command = [sys.executable, "-m", f"bench.{name}", "--json"]
    command += ["--quick"] if quick and name in HAS_QUICK else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    fault = None
    try:
        output, words = process.communicate(timeout=_seconds_max(name, quick=quick))
    except subprocess.TimeoutExpired:
        output, words = _ended(process)
        fault = "it took too long"
    if process.returncode != 0 and fault is None:
        fault = words.strip().splitlines()[-1] if words.strip() else f"status {process.returncode}"
    elif words:
        sys.stderr.write(words)
    return list(_read(output, BENCHES[name])), fault


def _seconds_max(name: str, *, quick: bool) -> int:
    return SECONDS_MAX_OF.get(name, SECONDS_MAX_QUICK if quick else SECONDS_MAX)


def _ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """End a bench so that it ends its server; kill it when it does not."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=END_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()


def _read(
    output: str, convert: Callable[[dict[str, Any]], Iterator[Figure]] | None
) -> Iterator[Figure]:
    for line in output.splitlines():
        found = figures.from_json(line)
        if found is not None:
            yield found
        elif convert is not None:
            with contextlib.suppress(ValueError, KeyError):
                yield from convert(json.loads(line))


def main() -> int:
    """Run them; 1 when one could not be run. What they found is for people to judge."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object per figure")
    parser.add_argument(
        "--quick", action="store_true", help="a rough answer in 90 seconds, without the store"
    )
    parser.add_argument("--only", metavar="NAME,...", help=f"of {', '.join(BENCHES)}")
    arguments = parser.parse_args()
    usual = [name for name in BENCHES if name in HAS_QUICK or not arguments.quick]
    chosen = arguments.only.replace("-", "_").split(",") if arguments.only else usual
    if unknown := [name for name in chosen if name not in BENCHES]:
        parser.error(f"no such bench: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    found: list[Figure] = []
    faults: dict[str, str] = {}
    for name in chosen:
        began = time.monotonic()
        more, fault = run(name, quick=arguments.quick)
        found += more
        if fault is not None:
            faults[name] = fault
        load = f"load {os.getloadavg()[0]:.1f}"
        sys.stderr.write(f"{name}: {time.monotonic() - began:.0f} s, {load}\n")
        for one in more if arguments.json else ():
            sys.stdout.write(one.to_json() + "\n")
            sys.stdout.flush()
    if not arguments.json:
        figures.shown(found)
    for name, fault in faults.items():
        sys.stderr.write(f"bench {name} did not end well: {fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
