#!/bin/bash
log=/var/log/shop.log
for page in / /robots.txt /office; do
    if ! grep -q "GET $page [0-9]" "$log"; then
        echo "The shop's log has no visit to $page yet."
        exit 1
    fi
done
echo "You have seen the front, the list and the locked door."
