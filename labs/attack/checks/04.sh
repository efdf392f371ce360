#!/bin/bash
log=/var/log/shop.log
if ! grep -q 'GET /receipt?file=.*payment\.key 200' "$log"; then
    echo "The payment key is still safe. It lies one folder above the receipts."
    exit 1
fi
echo "You read the payment key. In real life, this is the moment to call the owner."
