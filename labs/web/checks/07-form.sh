#!/bin/bash
# Prints what the student's server says: content, a line break, status.
ask() { curl -s -m 5 -w '\n%{http_code}' "$@" 2>/dev/null; }
form=$(ask http://localhost:8080/)
case "$form" in
    *000) echo "Nobody answers on port 8080. Start python3 ~/server.py in the tab server."; exit 1 ;;
    *'<form'*200) ;;
    *) echo "The page at / has no form. Is the server of the last step still running?"; exit 1 ;;
esac
echo "The book lies open."
