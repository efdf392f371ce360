#!/bin/bash
shop=http://localhost:8080
ask() { curl -s -m 5 -w '\n%{http_code}' "$@" 2>/dev/null; }
code() { local answer; answer=$(ask "$@"); echo "${answer##*$'\n'}"; }
if [ "$(code $shop/robots.txt)" != 200 ]; then
    echo "The shop does not answer. Start it with /srv/shop/restart and read what it says."
    exit 1
fi
receipt=$(ask "$shop/receipt?file=1001.txt")
case "$receipt" in
    *"Receipt 1001"*200) ;;
    *) echo "A customer should still get the receipt 1001.txt."; exit 1 ;;
esac
for file in ../payment.key /srv/shop/payment.key ../../../etc/passwd ....//payment.key \
    ../receipts-archive/2019.txt; do
    if [ "$(code "$shop/receipt?file=$file")" = 200 ]; then
        echo "The shop still gives away $file."
        exit 1
    fi
done
echo "Receipts, and nothing but receipts."
