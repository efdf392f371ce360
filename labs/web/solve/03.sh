#!/bin/bash
curl -s -H 'Accept: application/json' http://localhost:8000/books >/root/books.json
