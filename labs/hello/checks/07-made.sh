#!/bin/bash
command=/root/bin/moons
if [ ! -s "$command" ]; then
    echo "There is no ~/bin/moons yet. The first block of the page writes it."
    exit 1
fi
if [ ! -x "$command" ]; then
    echo "~/bin/moons may not be executed yet. Give it the letter of step 4 with chmod u+x."
    exit 1
fi
echo "There it is, and it may be started."
