#!/bin/bash
cd /srv/observatory || exit 1
cp visitors.txt /root/.visitors.old
# The caretaker is the process of step 5. setsid and the redirections let it outlive this script.
setsid nohup bin/caretaker </dev/null >/dev/null 2>&1 &
