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

# Packing makes these, each for a tenth of a cold start: one file of all modules, and methods.
with contextlib.suppress(ModuleNotFoundError):
    importlib.import_module("brihaspati_modules").install()
    importlib.import_module("brihaspati_prepared")
