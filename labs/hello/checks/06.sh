#!/bin/bash
if [ ! -s /srv/observatory/treasure.txt ]; then
    count=$(grep -c . /root/words.txt 2>/dev/null)
    echo "The dome is still closed. It wants four words in order; ~/words.txt has ${count:-0}."
    exit 1
fi
echo "The dome is open. Look up."
