#!/bin/bash
shop=http://localhost:8080
ask() { curl -s -m 5 -w '\n%{http_code}' "$@" 2>/dev/null; }
code() { local answer; answer=$(ask "$@"); echo "${answer##*$'\n'}"; }
if [ "$(code $shop/robots.txt)" != 200 ]; then
    echo "The shop does not answer. Start it with /srv/shop/restart and read what it says."
    exit 1
fi
signed_in=$(code -d 'name=guest' -d 'password=teatime' $shop/sign-in)
if [ "$signed_in" != 303 ]; then
    echo "guest with the password teatime should still get in (303); the shop says $signed_in."
    exit 1
fi
old=$(cat /root/.manager-password)
if [ "$(code -d name=manager --data-urlencode "password=$old" $shop/sign-in)" = 303 ]; then
    echo "The password that leaked still works. Give the manager a new one."
    exit 1
fi
if [ "$(code -d name=nobody -d password=x $shop/sign-in)" != 403 ]; then
    echo "An unknown name should be refused with 403."
    exit 1
fi
echo "Who stole the password has nothing now. Good work."
