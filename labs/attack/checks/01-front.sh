#!/bin/bash
if ! grep -q "GET / [0-9]" /var/log/shop.log; then
    echo "The shop's log has no visit to its front page yet."
    exit 1
fi
echo "You have seen what every customer sees."
