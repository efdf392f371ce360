"""The Marigold Tea House: a web shop made to be broken into. Never run it outside a lab."""

import secrets
import sqlite3
import sys
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import accounts
import receipts
import stock

DATABASE = "/srv/shop/shop.db"
TEAS = [("Assam", 6), ("Darjeeling", 9), ("Genmaicha", 8), ("Lapsang Souchong", 7), ("Rooibos", 5)]
SESSIONS = {}

STYLE = """body { font: 1rem/1.5 sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem;
background: #fdf6e9; color: #33261d } h1 { color: #b45309 } input, button { font: inherit }"""
SEARCH = '<form action="/search"><input name="q" aria-label="Tea"> <button>Search</button></form>'
SIGN_IN = """<h2>Sign in</h2><form method="post" action="/sign-in">
<p><label>Name <input name="name"></label></p>
<p><label>Password <input name="password" type="password"></label></p>
<p><button>Sign in</button></p></form>"""
OFFICE = """<h2>The office</h2>
<p>Only the manager gets here.</p>
<ul>
<li>Takings this week: 1,482</li>
<li>Supplier of the Darjeeling: keep this to ourselves!</li>
</ul>"""


def make_database():
    """Fill a new shop with teas and two accounts."""
    if Path(DATABASE).exists():
        return
    password = Path("/root/.manager-password").read_text().strip()
    with sqlite3.connect(DATABASE) as database:
        database.execute("CREATE TABLE teas (name TEXT, price INTEGER)")
        database.execute("CREATE TABLE accounts (name TEXT PRIMARY KEY, password TEXT)")
        database.executemany("INSERT INTO teas VALUES (?, ?)", TEAS)
        people = [("manager", password), ("guest", "teatime")]
        database.executemany("INSERT INTO accounts VALUES (?, ?)", people)


class Shop(BaseHTTPRequestHandler):
    server_version = "MarigoldShop/0.9"
    who = "-"

    def do_GET(self):
        self.guarded(self.get)

    def do_POST(self):
        self.guarded(self.post)

    def guarded(self, serve):
        """Run a page with the database open; say what went wrong, in far too much detail."""
        self.url = urlsplit(self.path)
        database = sqlite3.connect(DATABASE)
        try:
            serve(database)
        except (OSError, UnicodeDecodeError) as error:
            self.page(404, f"<p>No such file: {escape(str(error))}</p>")
        except (sqlite3.Error, ValueError) as error:
            self.page(500, f"<p>Database error: {escape(str(error))}</p>")
        finally:
            database.close()

    def get(self, database):
        query = parse_qs(self.url.query, keep_blank_values=True)
        if self.url.path == "/":
            self.teas(stock.search(database, ""))
        elif self.url.path == "/search":
            self.teas(stock.search(database, query.get("q", [""])[0]))
        elif self.url.path == "/receipt":
            self.text(receipts.read(query.get("file", [""])[0]))
        elif self.url.path == "/robots.txt":
            self.text("User-agent: *\nDisallow: /office\nDisallow: /receipt\n")
        elif self.url.path == "/sign-in":
            self.page(200, SIGN_IN)
        elif self.url.path == "/office":
            self.office()
        else:
            self.page(404, "<p>We do not have that.</p>")

    def post(self, database):
        length = min(int(self.headers.get("Content-Length", 0)), 10000)
        form = parse_qs(self.rfile.read(length).decode(), keep_blank_values=True)
        name, password = form.get("name", [""])[0], form.get("password", [""])[0]
        account = accounts.sign_in(database, name, password)
        if account is None:
            self.page(403, "<p>Wrong name or password.</p>" + SIGN_IN)
            return
        self.log_message("sign-in as %s with name %s", account, repr(name))
        session = secrets.token_urlsafe(16)
        SESSIONS[session] = account
        goal = "/office" if account == "manager" else "/"
        self.page(303, "", [("Set-Cookie", f"session={session}; HttpOnly"), ("Location", goal)])

    def office(self):
        cookie = self.headers.get("Cookie", "").partition("session=")[2].partition(";")[0]
        self.who = SESSIONS.get(cookie, "-")
        if self.who == "manager":
            self.page(200, OFFICE)
        else:
            self.page(403, "<p>The office is for the manager.</p>" + SIGN_IN)

    def teas(self, rows):
        items = "".join(f"<li>{escape(str(n))}: {escape(str(p))}</li>\n" for n, p in rows)
        links = '<p><a href="/receipt?file=1001.txt">Your last receipt</a></p>'
        self.page(200, f"{SEARCH}\n<ul>\n{items}</ul>\n{links}\n{SIGN_IN}")

    def page(self, status, content, headers=()):
        title = "Marigold Tea House"
        head = f"<title>{title}</title><style>{STYLE}</style>"
        page = f'<html lang="en"><meta charset="utf-8">{head}\n<h1>{title}</h1>\n{content}\n</html>\n'
        self.send(status, page, "text/html", headers)

    def text(self, text):
        self.send(200, text, "text/plain", ())

    def send(self, status, text, kind, headers):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        self.log_message("%s %s %s by %s", self.command, self.path, int(code), self.who)

    def log_message(self, form, *values):
        print(self.address_string(), form % values, file=sys.stderr, flush=True)


if __name__ == "__main__":
    make_database()
    ThreadingHTTPServer(("", 8080), Shop).serve_forever()
