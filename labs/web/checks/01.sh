#!/bin/bash
if [ ! -s /root/book.txt ]; then
    echo "There is no ~/book.txt yet. curl -o writes an answer into a file."
    exit 1
fi
if ! grep -q Aryabhatiya /root/book.txt; then
    echo "~/book.txt is there, but it is not book number 3. Ask for /books/3."
    exit 1
fi
echo "Asked and answered: the Aryabhatiya, from the year 499."
