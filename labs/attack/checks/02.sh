#!/bin/bash
log=/var/log/shop.log
if ! grep -q "sign-in as manager with name .*'" "$log"; then
    echo "Nobody has signed in as manager with a forged name yet." \
        "The name is: manager, an apostrophe, two dashes and a space."
    exit 1
fi
if ! grep -q 'GET /office 200 by manager' "$log"; then
    echo "You have the session. Now open /office with the cookie: curl -b ~/jar ..."
    exit 1
fi
echo "You are in the office, and nobody asked for a password."
