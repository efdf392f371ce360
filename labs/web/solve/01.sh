#!/bin/bash
curl -s --retry 5 --retry-connrefused -o /root/book.txt http://localhost:8000/books/3
