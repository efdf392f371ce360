#!/bin/bash
cat /srv/observatory/logs/*.log | awk '{print $3}' | sort | uniq -c | sort -nr |
    awk 'NR == 1 {print $2}' >>/root/words.txt
