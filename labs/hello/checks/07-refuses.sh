#!/bin/bash
command=/root/bin/moons
if [ ! -x "$command" ]; then
    echo "There is no executable ~/bin/moons to try."
    exit 1
fi
if timeout 5 "$command" </dev/null >/dev/null 2>&1; then
    echo "Without a file ~/bin/moons should say how it is used and exit with a number above 0."
    exit 1
fi
echo "It says no when it should. Well done."
