#!/bin/bash
plain=$(python3 - <<'END'
import sqlite3

rows = sqlite3.connect("/srv/shop/shop.db").execute("SELECT name, password FROM accounts")
print(*[name for name, kept in rows if len(kept) < 64 or "$" not in kept])
END
)
if [ -n "$plain" ]; then
    echo "The database still holds the password itself of: $plain."
    exit 1
fi
echo "Nothing worth stealing is left."
