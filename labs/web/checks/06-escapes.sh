#!/bin/bash
# Prints what the student's server says: content, a line break, status.
ask() { curl -s -m 5 -w '\n%{http_code}' "$@" 2>/dev/null; }
answer=$(ask 'http://localhost:8080/hello?name=<i>x</i>')
case "$answer" in
    *000) echo "Nobody answers on port 8080, so there is nothing to try."; exit 1 ;;
    *'<i>x</i>'*) echo "It greets, but sends a visitor's HTML back as it came. Use escape."; exit 1 ;;
    *200) ;;
    *) echo "/hello should greet a visitor called <i>x</i> too, with status 200."; exit 1 ;;
esac
echo "It shows what it is told, and runs nothing of it."
