"""A small WSGI app:  PROFILE=real1 gunicorn --bind 127.0.0.1:8081 app:app

gunicorn answers what is in flight at SIGTERM (--graceful-timeout) and closes what is idle.
The version is the first line of the file VERSION beside this one.
"""

import os
from pathlib import Path

PROFILE = os.environ.get("PROFILE", "default")
VERSION = Path(__file__).with_name("VERSION").read_text(encoding="utf-8").split("\n")[0]


def app(environ, start_response):
    """Answers /profile with the profile's name, and anything else with `VERSION PROFILE` and the request's body."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if environ["PATH_INFO"] == "/profile":
        answer = PROFILE.encode()
    else:
        answer = f"{VERSION} {PROFILE}\n".encode() + body
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(answer)))]
    start_response("200 OK", headers)
    return [answer]
