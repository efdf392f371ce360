#!/bin/bash
# Prints what the student's server says: status, a line break, content.
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
answer=$(ask 'http://localhost:8080/hello?name=<i>x</i>')
case "$answer" in
    *'<i>x</i>'*) echo "It greets, but sends a visitor's HTML back as it came. Use escape."; exit 1 ;;
esac
echo "It greets by name, knows what it does not have, and escapes what it is told."
