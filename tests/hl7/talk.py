"""A few messages by MLLP, with what has to come back: usage: talk.py HOST:PORT PYTHON. In the PYTHON: send(text) gives the acknowledgement,
which is also `last`; adt(event, control id, PID-3) makes a message; raw(bytes) gives what comes back until the connection ends."""
import socket
import sys

host, port = sys.argv[1].rsplit(":", 1)
SECONDS = 20


def raw(content):
    with socket.create_connection((host, int(port)), SECONDS) as connection:
        got = b""
        try:
            connection.sendall(content)
            while part := connection.recv(65536):
                got += part
        except ConnectionError:
            pass  # it ended while we were sending
        return got


def send(text):
    global last
    with socket.create_connection((host, int(port)), SECONDS) as connection:
        connection.sendall(b"\x0b" + text.encode() + b"\x1c\r")
        got = b""
        while not got.endswith(b"\x1c\r"):
            part = connection.recv(65536)
            if not part:
                raise SystemExit(f"the connection ended after {got!r}")
            got += part
    last = got[1:-2].decode().replace("\r", "\n")
    print(last)
    return last


def adt(event, control, identifiers):
    return (f"MSH|^~\\&|PAS|RXH|CPIS|RXH|20261127030000||ADT^{event}|{control}|P|2.4\rEVN|{event}|20261127030000\r"
            f"PID|1||{identifiers}||EXAMPLE^ALEX||20200201|M\rPV1|1|E\r")


exec(sys.argv[2])
