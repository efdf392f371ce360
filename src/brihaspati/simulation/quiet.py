"""A bad world without its warnings: thousands of them tell nobody anything."""

from __future__ import annotations

import contextlib
import gc
import logging
from collections.abc import Iterator

# A world leaves little garbage in rings, most of it at its end. To look for it as often as Python
# does takes a 20th of a small world's time, and a quarter of that of a town of millions of objects.
SELDOM = (100_000, 50, 100)


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Garbage in rings is seldom looked for inside."""
    often = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*often)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing is logged inside, and garbage is seldom looked for."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with seldom_collected():
            yield
    finally:
        logging.disable(level)
