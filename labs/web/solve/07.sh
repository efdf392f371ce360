#!/bin/bash
# The port may still be taken by the server of an earlier step.
old='^python3 (-m http.server 8080|.*/server.py)'
pkill -f "$old"
for _ in $(seq 100); do
    pgrep -f "$old" >/dev/null || break
    sleep 0.05
done
cat > /root/server.py <<'END'
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

ENTRIES = []

FORM = """<form method="post" action="/sign">
<p><label>Name <input name="name" required></label></p>
<p><label>Message <input name="message" required></label></p>
<p><button>Sign the book</button></p>
</form>"""


class GuestBook(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/":
            self.answer(404, "<h1>Not here</h1>")
            return
        items = "".join(f"<li><b>{escape(n)}</b>: {escape(m)}</li>" for n, m in ENTRIES)
        self.answer(200, f"<h1>Guest book</h1><ul>{items}</ul>{FORM}")

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if self.path != "/sign" or length > 10000:
            self.answer(404, "<h1>Not here</h1>")
            return
        form = parse_qs(self.rfile.read(length).decode())
        name, message = form.get("name", [""])[0], form.get("message", [""])[0]
        if not name or not message:
            self.answer(400, "<h1>A name and a message, please</h1>")
            return
        ENTRIES.append((name, message))
        self.answer(303, "", location="/")

    def answer(self, status, page, location=None):
        body = f"{page}\n".encode()
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("", 8080), GuestBook).serve_forever()
END
( setsid nohup python3 /root/server.py </dev/null >/tmp/server.log 2>&1 & )
for _ in $(seq 100); do
    curl -s -o /dev/null http://localhost:8080/ && break
    sleep 0.05
done
