#!/bin/bash
if [ ! -s /root/codes.txt ]; then
    echo "There is no ~/codes.txt yet. The loop at the end of the step writes it."
    exit 1
fi
for wanted in 200 301 401 404; do
    if ! grep -q "^$wanted " /root/codes.txt; then
        echo "The code $wanted is missing in ~/codes.txt."
        exit 1
    fi
done
echo "Worked, moved, who are you, not here. You can read them all."
