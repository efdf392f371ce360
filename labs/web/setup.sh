#!/bin/bash
# The reading room of the first steps. setsid and the redirections let it outlive this script.
setsid nohup python3 /srv/library/library.py </dev/null >/srv/library/log 2>&1 &
