#!/bin/bash
site=/root/site
if ! grep -qi '<h1' "$site/index.html" 2>/dev/null; then
    echo "There is no ~/site/index.html with an <h1> heading yet. The first block writes it."
    exit 1
fi
if [ ! -s "$site/style.css" ]; then
    echo "The page is there. Its style sheet ~/site/style.css is missing."
    exit 1
fi
echo "A page, and what it should look like."
