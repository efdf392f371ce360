#!/bin/bash
if ! grep -qx lantern /root/words.txt 2>/dev/null; then
    echo "The word on the rim of the telescope is not in ~/words.txt yet."
    exit 1
fi
echo "That is the third word. One to go."
