"""load.py ADDRESS [RATE]: users of the balancer, until SIGTERM; then it says in one line of JSON what they saw."""
import http.client
import json
import signal
import sys
import threading
import time

HOST, RATE = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 40
USERS = 8
over, lock = threading.Event(), threading.Lock()
seen = {"requests": 0, "lost": 0, "answers": {}, "why": []}


def ask():
    try:
        connection = http.client.HTTPConnection(HOST, 80, timeout=10)
        connection.request("GET", "/")
        answer = connection.getresponse()
        body = answer.read().decode().split(" ")[0]
        connection.close()
        return (body, None) if answer.status == 200 else (None, str(answer.status))
    except (OSError, http.client.HTTPException) as error:
        return None, repr(error)


def user():
    while not over.is_set():
        began = time.monotonic()
        body, why = ask()
        with lock:
            seen["requests"] += 1
            if why is None:
                seen["answers"][body] = seen["answers"].get(body, 0) + 1
            else:
                seen["lost"] += 1
                seen["why"] = (seen["why"] + [why])[:5]
        over.wait(max(0, USERS / RATE - (time.monotonic() - began)))


signal.signal(signal.SIGTERM, lambda *unused: over.set())
threads = [threading.Thread(target=user) for _ in range(USERS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps(seen))
