#!/bin/bash
# Prints what the student's server says: status, a line break, content.
ask() { curl -s -m 5 -w '\n%{http_code}' "$@" 2>/dev/null; }
form=$(ask http://localhost:8080/)
case "$form" in
    *000) echo "Nobody answers on port 8080. Start python3 ~/server.py in the tab server."; exit 1 ;;
    *'<form'*200) ;;
    *) echo "The page at / has no form. Is the server of the last step still running?"; exit 1 ;;
esac
answer=$(ask -d 'name=Nobody' http://localhost:8080/sign)
if [ "${answer##*$'\n'}" != 400 ]; then
    echo "A form without a message should get 400, not ${answer##*$'\n'}."
    exit 1
fi
mark="check-$RANDOM"
answer=$(ask -d "name=The check" -d "message=<b>$mark</b>" http://localhost:8080/sign)
if [ "${answer##*$'\n'}" != 303 ]; then
    echo "A complete form should get 303 and lead back to the book, not ${answer##*$'\n'}."
    exit 1
fi
page=$(ask http://localhost:8080/)
case "$page" in
    *"<b>$mark</b>"*) echo "The book shows a visitor's HTML as it came. Use escape."; exit 1 ;;
    *"$mark"*) ;;
    *) echo "The message was accepted, but the book does not show it."; exit 1 ;;
esac
echo "Signed, stored, shown, and safe from mischief."
