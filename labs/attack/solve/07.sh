#!/bin/bash
cat > /srv/shop/accounts.py <<'END'
"""Who may sign in. Run it with a name and a password to set that account's password."""

import hashlib
import hmac
import secrets
import sqlite3
import sys


def digest(password, salt):
    """The slow hash of a password, as hexadecimal text."""
    return hashlib.scrypt(password.encode(), salt=salt.encode(), n=2**14, r=8, p=1).hex()


def stored(password):
    """What to keep of a password: scrypt$salt$hash."""
    salt = secrets.token_hex(16)
    return f"scrypt${salt}${digest(password, salt)}"


def sign_in(database, name, password):
    """The account's name, or None when name and password do not belong together."""
    query = "SELECT password FROM accounts WHERE name = ?"
    row = database.execute(query, (name,)).fetchone()
    kind, salt, wanted = row[0].split("$") if row else ("scrypt", "", "")
    return name if hmac.compare_digest(digest(password, salt), wanted) else None


if __name__ == "__main__":
    with sqlite3.connect("/srv/shop/shop.db") as database:
        change = "UPDATE accounts SET password = ? WHERE name = ?"
        database.execute(change, (stored(sys.argv[2]), sys.argv[1]))
END
cd /srv/shop || exit 1
python3 accounts.py guest teatime
python3 accounts.py manager 'seven cups before the storm'
/srv/shop/restart
