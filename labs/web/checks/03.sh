#!/bin/bash
if [ ! -s /root/books.json ]; then
    echo "There is no ~/books.json yet. Ask for /books with the header Accept: application/json."
    exit 1
fi
count=$(python3 -c 'import json; print(len(json.load(open("/root/books.json"))))' 2>/dev/null)
if [ "$count" != 4 ]; then
    echo "~/books.json is not the catalogue in JSON. Leave -i away: headers are not part of it."
    exit 1
fi
echo "Four books, in a form a program can read."
