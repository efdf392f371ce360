#!/bin/bash
for page in / /robots.txt /office; do
    curl -s -o /dev/null --retry 5 --retry-connrefused "http://shop:8080$page"
done
