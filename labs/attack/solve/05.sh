#!/bin/bash
cat > /srv/shop/accounts.py <<'END'
"""Who may sign in."""


def sign_in(database, name, password):
    """The account's name, or None when name and password do not belong together."""
    query = "SELECT name FROM accounts WHERE name = ? AND password = ?"
    row = database.execute(query, (name, password)).fetchone()
    return row[0] if row else None
END
cat > /srv/shop/stock.py <<'END'
"""What is on the shelf."""


def search(database, words):
    """Name and price of every tea with these words in its name."""
    query = "SELECT name, price FROM teas WHERE name LIKE ?"
    return database.execute(query, (f"%{words}%",)).fetchall()
END
/srv/shop/restart
