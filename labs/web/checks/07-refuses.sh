#!/bin/bash
# Prints what the student's server says: content, a line break, status.
ask() { curl -s -m 5 -w '\n%{http_code}' "$@" 2>/dev/null; }
answer=$(ask -d 'name=Nobody' http://localhost:8080/sign)
if [ "${answer##*$'\n'}" != 400 ]; then
    echo "A form without a message should get 400, not ${answer##*$'\n'}."
    exit 1
fi
echo "Who leaves nothing is told so."
