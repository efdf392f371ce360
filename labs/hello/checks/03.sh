#!/bin/bash
words=/root/words.txt
if ! grep -qxi callisto "$words" 2>/dev/null; then
    echo "The moon seen most often is not in ~/words.txt yet." \
        "The first line of the sorted count names it; write it in small letters."
    exit 1
fi
echo "Yes: callisto, seen 180 times in five nights."
