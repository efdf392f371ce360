"""What the tests of this folder share."""

from __future__ import annotations

from cloudsim_rental import rental

__all__ = ["rental"]
