"""`python -m brihaspati` is the command line."""

from __future__ import annotations

import sys

from brihaspati import wiring

if __name__ == "__main__":
    sys.exit(wiring.main())
