"""The functions of the cloud mode: one module each, with the `handler` that Lambda calls.

Importing one builds its parts and connects nothing, so that a snapshot of it may be taken.
"""

from __future__ import annotations

import contextlib
import importlib

with contextlib.suppress(ImportError):
    importlib.import_module("brihaspati_prepared")  # packing makes it, for a sixth of a cold start
