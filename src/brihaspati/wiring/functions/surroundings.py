"""What every function does first: read its settings, and let its log be heard."""

from __future__ import annotations

import logging

from brihaspati import settings


def read() -> settings.Settings:
    """The settings of the function. Raises SettingsError."""
    logging.getLogger("brihaspati").setLevel(logging.INFO)
    return settings.read()
