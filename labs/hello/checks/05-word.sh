#!/bin/bash
if ! grep -qx quiet /root/words.txt 2>/dev/null; then
    echo "The word of the caretaker's note is not in ~/words.txt yet."
    exit 1
fi
echo "That was the last word."
