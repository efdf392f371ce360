#!/bin/bash
telescope=/srv/observatory/bin/telescope
if [ ! -x "$telescope" ]; then
    echo "The telescope may still not be executed. Give it the missing x with chmod."
    exit 1
fi
if [ -n "$(find "$telescope" -perm -002)" ]; then
    echo "It works, but now anybody may change the program. Take that back: chmod go-w $telescope"
    exit 1
fi
echo "The telescope works, and only its owner may change it."
