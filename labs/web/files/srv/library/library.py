"""The reading room: a small web server to talk to, on port 8000 of this machine only."""

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BOOKS = {
    1: {"title": "Sidereus Nuncius", "author": "Galileo Galilei", "year": 1610},
    2: {"title": "Cosmos", "author": "Alexander von Humboldt", "year": 1845},
    3: {"title": "Aryabhatiya", "author": "Aryabhata", "year": 499},
    4: {"title": "The Realm of the Nebulae", "author": "Edwin Hubble", "year": 1936},
}
READER = base64.b64encode(b"reader:lantern").decode()

HALL = """Welcome to the reading room.

/books       the catalogue
/books/1     one book
/old-books   where the catalogue used to be
/vault       for readers with a card
"""


def as_text(books):
    return "".join(f"{n}  {b['title']}, {b['author']} ({b['year']})\n" for n, b in books.items())


def as_html(books):
    rows = "".join(f"<li>{b['title']}, {b['author']} ({b['year']})</li>\n" for b in books.values())
    return f"<h1>The catalogue</h1>\n<ul>\n{rows}</ul>\n"


class ReadingRoom(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "ReadingRoom/1.0"
    sys_version = ""

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/":
            self.answer(200, HALL)
        elif path == "/books":
            self.catalogue(BOOKS)
        elif path == "/old-books":
            self.answer(301, "The catalogue has moved to /books.\n", Location="/books")
        elif path == "/vault":
            self.vault()
        elif path.startswith("/books/") and path[7:].isdigit() and int(path[7:]) in BOOKS:
            self.catalogue({int(path[7:]): BOOKS[int(path[7:])]})
        else:
            self.answer(404, f"There is nothing at {path}.\n")

    do_HEAD = do_GET

    def refuse(self):
        self.close_connection = True
        self.answer(405, "This library lends, it does not collect.\n", Allow="GET, HEAD")

    do_POST = do_PUT = do_DELETE = refuse

    def catalogue(self, books):
        accept = self.headers.get("Accept", "*/*")
        if "application/json" in accept:
            self.answer(200, json.dumps(books, indent=2) + "\n", "application/json")
        elif "text/html" in accept:
            self.answer(200, as_html(books), "text/html; charset=utf-8")
        else:
            self.answer(200, as_text(books))

    def vault(self):
        if self.headers.get("Authorization") == f"Basic {READER}":
            self.answer(200, "You have a card. The vault smells of old paper and cold stone.\n")
        else:
            realm = 'Basic realm="vault"'
            self.answer(401, "Your card, please.\n", **{"WWW-Authenticate": realm})

    def answer(self, status, text, kind="text/plain; charset=utf-8", **headers):
        body = text.encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
        if status == 200 and self.headers.get("If-None-Match") == tag:
            status, body = 304, b""
        self.send_response(status)
        self.send_header("ETag", tag)
        if status != 304:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", 8000), ReadingRoom).serve_forever()
