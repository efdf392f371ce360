#!/bin/bash
if ! grep -q 'GET /office 200 by manager' /var/log/shop.log; then
    echo "The office has not let anybody in yet. Open it with the cookie: curl -b ~/jar ..."
    exit 1
fi
echo "You are in the office."
