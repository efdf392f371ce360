"""What a program has open when it begins."""

from __future__ import annotations

import os


def keep() -> None:
    """Let no program we start inherit what our own parent left open for us."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names alone
        if int(name) > 2:
            try:
                os.set_inheritable(int(name), False)  # noqa: FBT003 - positional only
            except OSError:  # what listed them
                continue
