#!/bin/bash
# Prints what the student's server says: content, a line break, status.
ask() { curl -s -m 5 -w '\n%{http_code}' "$@" 2>/dev/null; }
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
