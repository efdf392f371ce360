#!/bin/bash
cat > /srv/shop/receipts.py <<'END'
"""Receipts are text files, one for each order."""

from pathlib import Path

FOLDER = Path("/srv/shop/receipts").resolve()


def read(name):
    """The text of a receipt. Raises OSError when there is none of this name."""
    path = (FOLDER / name).resolve()
    if not path.is_relative_to(FOLDER):
        raise FileNotFoundError(name)
    return path.read_text()
END
/srv/shop/restart
