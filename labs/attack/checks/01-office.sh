#!/bin/bash
if ! grep -q "GET /office [0-9]" /var/log/shop.log; then
    echo "The shop's log has no visit to /office yet."
    exit 1
fi
echo "The door is locked. For now."
