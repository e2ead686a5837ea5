"""SIGTERM while a message is being answered: usage: drain.py HOST:PORT DELIVERY_PORT PID. The adaptor delivers to DELIVERY_PORT of this
machine, which answers only when the adaptor does not listen any more; the sender has its acknowledgement all the same."""
import http.server
import os
import signal
import socket
import sys
import threading
import time

host, port = sys.argv[1].rsplit(":", 1)
place, pid = (host, int(port)), int(sys.argv[3])
SECONDS = 20


def message(control):
    return (f"\x0bMSH|^~\\&|PAS|RXH|CPIS|RXH|20261127030000||ADT^A04|{control}|P|2.4\rEVN|A04|20261127030000\r"
            "PID|1||9990000018^^^NHS^NH||EXAMPLE^ALEX||20200201|M\rPV1|1|E\r\x1c\r").encode()


def receive(connection):
    got = b""
    while not got.endswith(b"\x1c\r") and (part := connection.recv(65536)):
        got += part
    return got


def listens():
    try:
        socket.create_connection(place, SECONDS).close()
        return True
    except ConnectionError:  # refused; or reset, when it waited to be accepted as the listener ended
        return False


class Delivery(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + SECONDS
        while listens() and time.monotonic() < deadline:
            pass
        # Its own connection is open still: what comes on it now is not begun.
        idle.sendall(message("d2"))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Delivery)
threading.Thread(target=server.handle_request).start()
idle, busy = socket.create_connection(place, SECONDS), socket.create_connection(place, SECONDS)
busy.sendall(message("d1"))
acknowledged = receive(busy)
assert b"|AA|" in acknowledged and b"|d1" in acknowledged, acknowledged
try:
    late = receive(idle)
except ConnectionError:
    late = b""
assert late == b"", late
