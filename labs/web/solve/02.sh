#!/bin/bash
exec 3<>/dev/tcp/localhost/8000
printf 'GET /books/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
cat <&3 >/root/raw.txt
exec 3>&-
