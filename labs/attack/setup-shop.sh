#!/bin/bash
# Two secrets of this sandbox alone, then the shop. setsid and the redirections let it outlive
# this script; the shop makes its database when it starts.
umask 077
head -c 9 /dev/urandom | base64 | tr '+/' 'xy' >/root/.manager-password
head -c 24 /dev/urandom | base64 >/srv/shop/payment.key
mkdir -p /var/log
cd /srv/shop || exit 1
setsid nohup python3 app.py </dev/null >>/var/log/shop.log 2>&1 &
