"""A bad world without its warnings: thousands of them tell nobody anything."""

from __future__ import annotations

import contextlib
import gc
import logging
from collections.abc import Iterator

# A world leaves little garbage, and all of it at its end; to look for it costs a 20th of the time.
OBJECTS_BETWEEN_LOOKS = 50_000


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing is logged inside, and garbage is seldom looked for."""
    level, often = logging.root.manager.disable, gc.get_threshold()
    logging.disable(logging.CRITICAL)
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS, *often[1:])
    try:
        yield
    finally:
        logging.disable(level)
        gc.set_threshold(*often)
