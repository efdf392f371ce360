#!/bin/bash
# The port may still be taken by the server of an earlier step.
old='^python3 (-m http.server 8080|.*/server.py)'
pkill -f "$old"
for _ in $(seq 100); do
    pgrep -f "$old" >/dev/null || break
    sleep 0.05
done
cat > /root/server.py <<'END'
from datetime import datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Site(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if url.path == "/":
            self.answer(200, f"<h1>It is {datetime.now():%H:%M:%S}</h1>")
        elif url.path == "/hello":
            name = query.get("name", ["stranger"])[0]
            self.answer(200, f"<h1>Hello, {escape(name)}.</h1>")
        else:
            self.answer(404, "<h1>Not here</h1>")

    def answer(self, status, page):
        body = f"{page}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("", 8080), Site).serve_forever()
END
( setsid nohup python3 /root/server.py </dev/null >/tmp/server.log 2>&1 & )
for _ in $(seq 100); do
    curl -s -o /dev/null http://localhost:8080/ && break
    sleep 0.05
done
