#!/bin/bash
# Prints what the student's server says: content, a line break, status.
ask() { curl -s -m 5 -w '\n%{http_code}' "$@" 2>/dev/null; }
answer=$(ask 'http://localhost:8080/hello?name=Mira')
case "$answer" in
    *000) echo "Nobody answers on port 8080. Start python3 ~/server.py in the tab server."; exit 1 ;;
    *Mira*200) ;;
    *) echo "/hello?name=Mira should greet Mira with status 200. Is the old server still there?"
       exit 1 ;;
esac
answer=$(ask http://localhost:8080/no-such-page)
if [ "${answer##*$'\n'}" != 404 ]; then
    echo "A path that does not exist should get 404, not ${answer##*$'\n'}."
    exit 1
fi
echo "It greets by name, and knows what it does not have."
