#!/bin/bash
chmod u+x /srv/observatory/bin/telescope
/srv/observatory/bin/telescope | awk '/rim/ {print $NF}' >>/root/words.txt
