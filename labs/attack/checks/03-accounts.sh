#!/bin/bash
if ! grep -qi 'GET /search?.*union.*accounts.* 200' /var/log/shop.log; then
    echo "The search has not given away the accounts yet. Glue UNION SELECT name, password to it."
    exit 1
fi
echo "Names and passwords, as if they were a tea."
