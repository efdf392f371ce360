#!/bin/bash
# Somebody signed the book with more than the date.
book=/srv/observatory/visitors.txt
if ! grep -q "Wilhelmina" "$book" 2>/dev/null; then
    echo "The old names are gone from visitors.txt: a single > replaces a file, >> adds to it." \
        "Get them back with: cp /root/.visitors.old $book"
    exit 1
fi
if [ "$(grep -c . "$book")" -le 4 ]; then
    echo "Nobody has signed visitors.txt yet. Add your name with echo and >>."
    exit 1
fi
echo "Welcome to the observatory. Your name is in the book."
