#!/bin/bash
shop=http://localhost:8080
ask() { curl -s -m 5 -w '\n%{http_code}' "$@" 2>/dev/null; }
code() { local answer; answer=$(ask "$@"); echo "${answer##*$'\n'}"; }
if [ "$(code $shop/robots.txt)" != 200 ]; then
    echo "The shop does not answer. Start it with /srv/shop/restart and read what it says."
    exit 1
fi
# The mark exists only if the database put it together.
answer=$(ask -G --data-urlencode "q=zzz' UNION SELECT 'ma'||'rk', 1 -- " $shop/search)
case "$answer" in
    *mark*) echo "The search still runs SQL from a stranger."; exit 1 ;;
    *200) ;;
    *) echo "A search with an apostrophe should find nothing, not fail."; exit 1 ;;
esac
answer=$(ask -G --data-urlencode "q=jeel" $shop/search)
case "$answer" in
    *Darjeeling*) ;;
    *) echo "The search for jeel should still find the Darjeeling."; exit 1 ;;
esac
echo "The search keeps data and code apart, and customers notice nothing."
