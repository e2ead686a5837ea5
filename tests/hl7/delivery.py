"""A receiver that does not take answers as it should, and senders that repeat themselves: usage: delivery.py HOST:PORT URL_PORT ANSWERS.
The adaptor posts to URL_PORT and writes to ANSWERS. Prints how many cases held."""
import json
import os
import socket
import socketserver
import sys
import threading

from mllp import read_ack

HOST, PORT = sys.argv[1].rsplit(":", 1)
ANSWERS = sys.argv[3]
SECONDS = 30
OK, REDIRECT = b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 303 See Other\r\nLocation: /elsewhere\r\n\r\n"


class Receiver(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    manner = "takes"
    bodies, paths = [], []
    go_on = threading.Event()


class Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        receiver = self.server
        receiver.paths.append(self.rfile.readline().split()[1].decode())
        length = 0
        while (line := self.rfile.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        receiver.bodies.append(json.loads(self.rfile.read(length) or b"{}"))
        getattr(self, receiver.manner)()

    def takes(self):
        self.wfile.write(OK)

    def redirects(self):
        self.wfile.write(REDIRECT)

    def fails(self):
        self.wfile.write(b"HTTP/1.1 500 999 000 0018\r\n\r\n")

    def talks_nonsense(self):
        self.wfile.write(b"nonsense 9990000018\r\n\r\n")

    def says_nothing(self):
        pass

    def drips(self):
        """Byte by byte, each well within the limit of one read, until it is cut off."""
        try:
            for number in range(SECONDS):
                self.wfile.write(b"HTTP/1.1 200 " if number == 0 else b"x")
                self.server.go_on.wait(1)
        except ConnectionError:
            pass


def connect():
    return socket.create_connection((HOST, int(PORT)), SECONDS)


def send(connection, control, number="9990000018"):
    connection.sendall((f"\x0bMSH|^~\\&|PAS|RXH|CPIS|RXH|20261127030000||ADT^A04|{control}|P|2.4\r"
                        f"PID|1||{number}^^^NHS^NH||EXAMPLE^ALEX||20200201|M\r\x1c\r").encode())


def ask(control, number="9990000018"):
    with connect() as connection:
        send(connection, control, number)
        return read_ack(connection)


def written():
    found = []
    for name in sorted(os.listdir(ANSWERS)):
        assert name.endswith(".json"), name
        with open(os.path.join(ANSWERS, name), encoding="utf-8") as file:
            found.append(json.load(file))
    return found


def what_is_not_taken_is_not_acknowledged(receiver):
    for manner in ("redirects", "fails", "talks_nonsense", "says_nothing", "drips"):
        receiver.manner = manner
        said = ask(f"not-{manner}")
        assert "|AR|" in said and "|207^" in said and "could not be delivered" in said and "CPIS-FLAG" not in said, (manner, said)
        receiver.manner = "takes"
        assert "|AA|" in ask(f"not-{manner}"), manner
    assert set(receiver.paths) == {"/flags"}, receiver.paths


def one_control_id_of_two_children_is_two_questions(receiver):
    receiver.bodies.clear()
    before = len(written())
    assert "|Y^" in ask("one-id") and "|N^" in ask("one-id", "9990002983")
    assert [body["nhs_number"] for body in receiver.bodies] == ["9990000018", "9990002983"]
    assert len(written()) == before + 2


def one_message_twice_at_once_is_one_answer(_):
    before = len(written())
    connections = [connect() for _ in range(16)]
    for connection in connections:
        send(connection, "at-once")
    for connection in connections:
        assert "|AA|" in read_ack(connection)
        connection.close()
    assert len(written()) == before + 1


def a_full_disk_is_not_acknowledged(_):
    os.rename(ANSWERS, ANSWERS + ".away")
    with open(ANSWERS, "wb"):
        said = ask("no-room")
    os.unlink(ANSWERS)
    os.rename(ANSWERS + ".away", ANSWERS)
    assert "|AR|" in said and "could not be delivered" in said, said


def main():
    receiver = Receiver(("127.0.0.1", int(sys.argv[2])), Conversation)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    cases = (what_is_not_taken_is_not_acknowledged, one_control_id_of_two_children_is_two_questions, one_message_twice_at_once_is_one_answer,
             a_full_disk_is_not_acknowledged)
    for case in cases:
        try:
            case(receiver)
        except (AssertionError, OSError) as error:
            raise SystemExit(f"delivery.py: {case.__name__}: {type(error).__name__}: {error}") from error
        print(case.__name__)
    print(f"{len(cases)} cases")


main()
