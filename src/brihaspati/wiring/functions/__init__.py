"""The functions of the cloud mode: one module each, with the `handler` that Lambda calls.

Importing one builds its parts and connects nothing, so that a snapshot of it may be taken.
"""

from __future__ import annotations

import contextlib
import gc
import importlib

# What is made while modules are loaded stays: to look for what could be thrown away, all of it each
# time, is a sixth of a cold start. A request makes little, and in few rings.
OBJECTS_BETWEEN = 50_000
gc.set_threshold(OBJECTS_BETWEEN, 20, 50)

with contextlib.suppress(ImportError):
    importlib.import_module("brihaspati_prepared")  # packing makes it, for a sixth of a cold start
