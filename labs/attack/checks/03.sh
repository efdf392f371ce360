#!/bin/bash
log=/var/log/shop.log
if ! grep -qi 'GET /search?.*union.*accounts.* 200' "$log"; then
    echo "The search has not given away the accounts yet. Glue UNION SELECT name, password to it."
    exit 1
fi
if ! grep -q "sign-in as manager with name 'manager'" "$log"; then
    echo "You have the passwords. Now sign in as manager with the real one."
    exit 1
fi
echo "Through the front door, with the real password. That is how it usually ends."
