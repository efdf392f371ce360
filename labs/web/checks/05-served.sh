#!/bin/bash
# Prints what the student's server says: content, a line break, status.
ask() { curl -s -m 5 -w '\n%{http_code}' "$@" 2>/dev/null; }
answer=$(ask http://localhost:8080/)
case "$answer" in
    *000) echo "Nobody answers on port 8080. Start the server in the tab server."; exit 1 ;;
    *404) echo "The server runs but has no index.html. Start it with --directory ~/site."; exit 1 ;;
    *'<h1'*200) ;;
    *) echo "The server answers, but not with your page: it has no <h1> heading."; exit 1 ;;
esac
style=$(ask http://localhost:8080/style.css)
if [ "${style##*$'\n'}" != 200 ]; then
    echo "The page is there. Its style sheet ~/site/style.css is missing."
    exit 1
fi
echo "Your page is on the air."
