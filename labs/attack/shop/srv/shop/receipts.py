"""Receipts are text files, one for each order."""

import os

FOLDER = "/srv/shop/receipts"


def read(name):
    """The text of a receipt. Raises OSError when there is none of this name."""
    with open(os.path.join(FOLDER, name)) as receipt:
        return receipt.read()
