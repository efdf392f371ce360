#!/bin/bash
if ! grep -q "GET /robots.txt [0-9]" /var/log/shop.log; then
    echo "The shop's log has no visit to /robots.txt yet."
    exit 1
fi
echo "You have read what the shop hides from search engines."
