#!/bin/bash
for path in / /old-books /vault /unicorns; do
    curl -s -o /dev/null -w "%{http_code} $path\n" "http://localhost:8000$path"
done >/root/codes.txt
