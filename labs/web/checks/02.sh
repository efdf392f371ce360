#!/bin/bash
if [ ! -s /root/raw.txt ]; then
    echo "There is no ~/raw.txt yet. Send the request into the line, then read it with cat and tee."
    exit 1
fi
if ! head -n 1 /root/raw.txt | grep -q '^HTTP/1.1 200'; then
    echo "~/raw.txt does not begin with HTTP/1.1 200: $(head -n 1 /root/raw.txt | tr -d '\r')." \
        "Close the line (exec 3>&-), open it again, and mind the two \\r\\n at the end."
    exit 1
fi
if ! grep -q 'Sidereus' /root/raw.txt; then
    echo "That is a response, but not the one for /books/1."
    exit 1
fi
echo "A request by hand, and a response in full."
