#!/bin/bash
words=/root/words.txt
if [ ! -s "$words" ]; then
    echo "There is no ~/words.txt yet. The word is in the last line of the last night's log."
    exit 1
fi
if ! grep -qx orbit "$words"; then
    echo "~/words.txt does not have the first word yet. Read the last line of night-14.log again."
    exit 1
fi
echo "That is the first word. Three to go."
