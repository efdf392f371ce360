#!/bin/bash
echo "2026  A guest" >>/srv/observatory/visitors.txt
