#!/bin/bash
command=/root/bin/moons
if [ ! -x "$command" ]; then
    echo "There is no executable ~/bin/moons to try."
    exit 1
fi
night=$(mktemp)
trap 'rm -f "$night"' EXIT
printf '%s\n' "20:01  vera  io      magnitude 5.0" "20:02  mira  europa  magnitude 5.1" \
    "20:03  mira  clouds  nothing to see" "20:09  vera  europa  magnitude 5.1" >"$night"
counted=$(timeout 5 "$command" "$night" 2>&1 | awk '{print $1, $2}')
if [ "$counted" != "$(printf '2 europa\n1 io')" ]; then
    echo "On a small log with two europa and one io, ~/bin/moons printed: ${counted:-nothing}."
    exit 1
fi
echo "Your command counts right, and leaves the clouds out."
