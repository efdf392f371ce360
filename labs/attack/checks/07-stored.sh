#!/bin/bash
if ! plain=$(python3 - 2>/dev/null <<'END'
import sqlite3

shop = sqlite3.connect("/srv/shop/shop.db")
rows = shop.execute("SELECT name, password FROM accounts").fetchall()
print(*[name for name, kept in rows if len(kept) < 64 or "$" not in kept])
raise SystemExit(not rows)
END
); then
    echo "The shop has no accounts that can be read. Start it with /srv/shop/restart."
    exit 1
fi
if [ -n "$plain" ]; then
    echo "The database still holds the password itself of: $plain."
    exit 1
fi
echo "Nothing worth stealing is left."
