#!/bin/bash
tail -n 1 /srv/observatory/logs/night-14.log | awk '{print $NF}' >>/root/words.txt
