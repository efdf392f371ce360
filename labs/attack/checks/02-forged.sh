#!/bin/bash
# The log quotes a name with an apostrophe in it by ", or by ' with a \ before the apostrophe.
if ! grep -qE "sign-in as manager with name (\".*'|'.*\\\\')" /var/log/shop.log; then
    echo "Nobody has signed in as manager with a forged name yet." \
        "The name is: manager, an apostrophe, two dashes and a space."
    exit 1
fi
echo "You are in, and nobody asked for a password."
