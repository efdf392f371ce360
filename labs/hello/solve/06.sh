#!/bin/bash
/srv/observatory/bin/open-dome "$(paste -s -d- /root/words.txt)"
