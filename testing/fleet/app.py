"""app.py PORT PROFILE ARTIFACT: answers with its version and its machine. /etc/fault on a machine makes one version sick there:
`v3 prepare` is never healthy, `v3 promote` is healthy until users come."""
import http.server
import signal
import socket
import sys
import threading

PORT, PROFILE, ARTIFACT = int(sys.argv[1]), sys.argv[2], sys.argv[3]
VERSION = open(ARTIFACT).read().split()[0]


def fault():
    try:
        version, what = open("/etc/fault").read().split()
    except (OSError, ValueError):
        return None
    return what if version == VERSION else None


class App(http.server.BaseHTTPRequestHandler):
    users = False

    def do_GET(self):
        status, text = 200, "%s %s\n" % (VERSION, socket.gethostname())
        if self.path == "/health":
            sick = fault() == "prepare" or (fault() == "promote" and App.users)
            status, text = (503, "sick\n") if sick else (200, PROFILE + "\n")
        else:
            App.users = True
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *unused):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    # at the end it waits for what is in flight
    daemon_threads = False


server = Server(("127.0.0.1", PORT), App)
signal.signal(signal.SIGTERM, lambda *unused: threading.Thread(target=server.shutdown).start())
server.serve_forever()
server.server_close()
