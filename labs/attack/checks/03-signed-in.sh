#!/bin/bash
if ! grep -q "sign-in as manager with name 'manager'" /var/log/shop.log; then
    echo "Nobody has signed in as manager with the real password yet."
    exit 1
fi
echo "Through the front door, with the real password. That is how it usually ends."
