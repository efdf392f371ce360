"""Letters by Simple Email Service."""

from brihaspati.adapters.ses.letters import CannotSend, Letters

__all__ = ["CannotSend", "Letters"]
