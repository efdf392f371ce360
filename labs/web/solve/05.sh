#!/bin/bash
mkdir -p /root/site
cat > /root/site/index.html <<'END'
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>My site</title>
    <link rel="stylesheet" href="style.css">
  </head>
  <body>
    <h1>Hello from my own server</h1>
    <p>This page is a file on a machine that I started.</p>
  </body>
</html>
END
cat > /root/site/style.css <<'END'
body { font-family: sans-serif; background: #fdf6e9; color: #1d1830; padding: 3rem; }
h1 { color: #b45309; }
END
( setsid nohup python3 -m http.server 8080 --directory /root/site </dev/null >/tmp/server.log 2>&1 & )
for _ in $(seq 100); do
    curl -s -o /dev/null http://localhost:8080/ && break
    sleep 0.05
done
