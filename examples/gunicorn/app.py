"""A small WSGI shop:  PROFILE=real1 gunicorn --bind 127.0.0.1:8081 app:app

gunicorn answers what is in flight at SIGTERM (--graceful-timeout) and closes what is idle.
"""

import json
import os

VERSION = "1.0.0"
PROFILE = os.environ.get("PROFILE", "default")


def app(environ, start_response):
    """Answers /health, /profile, and anything else with `VERSION PROFILE` and the request's body."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    kind = "text/plain; charset=utf-8"
    if environ["PATH_INFO"] == "/health":
        # a real app asks its database here, and answers 503 until it is ready
        kind, answer = "application/json", json.dumps({"status": "UP", "version": VERSION, "profile": PROFILE}).encode()
    elif environ["PATH_INFO"] == "/profile":
        answer = PROFILE.encode()
    else:
        answer = f"{VERSION} {PROFILE}\n".encode() + body
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(answer)))])
    return [answer]
