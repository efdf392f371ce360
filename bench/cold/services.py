"""What a first request asks of AWS, answered on loopback: one key, and a table with nothing in it.

Only the asking process is measured. That each service really answers so is for the tests.
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from brihaspati.adapters import ssm
from brihaspati.entrypoints.http import sessions

_KEY = bytes(32)
_FAR = 4_102_444_800_000
_EMPTY = {
    "GetItem": {},
    "Query": {"Items": [], "Count": 0, "ScannedCount": 0},
    "BatchGetItem": {"Responses": {}, "UnprocessedKeys": {}},
}
_VALUE = base64.b64encode(_KEY).decode()


def cookie() -> str:
    """The session of somebody whom the table does not know, signed with the key."""
    keys = ssm.Keys(ssm.Parameters(_asked, "/cold"))
    text = sessions.issue("nobody", _FAR, lambda payload: keys.mac("session", payload))
    return f"{sessions.cookie_name(secure=True)}={text}"


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """The address of SSM and DynamoDB until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _asked(_operation: str, **named: Any) -> dict[str, Any]:
    return {"Parameter": {"Name": named.get("Name"), "Type": "SecureString", "Value": _VALUE}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        answer = _asked(operation, **said) if operation == "GetParameter" else _EMPTY[operation]
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *args: object) -> None:
        """Say nothing."""
