"""Senders good and bad at a listener by TLS: usage: tls.py HOST:PORT CERTIFICATES ANSWERS PID. CERTIFICATES is what tls_files.py made,
ANSWERS the adaptor's `directory`, PID its process. Prints how many cases held; exits 1 with the first that did not."""
import contextlib
import os
import socket
import ssl
import struct
import sys
import time

from mllp import read_ack

HOST, PORT = sys.argv[1].rsplit(":", 1)
CERTIFICATES, ANSWERS, PID = sys.argv[2:5]
SECONDS = 30  # within which each thing has to happen
STALLED = 200  # more than may shake hands, or be connected, at once
KNOWN = "9990000018^^^NHS^NH"
LISTENING = "0A"
held = 0


def message(control, identifiers=KNOWN, sender="PAS"):
    return (f"\x0bMSH|^~\\&|{sender}|RXH|CPIS|RXH|20261127030000||ADT^A04|{control}|P|2.4\rEVN|A04|20261127030000\r"
            f"PID|1||{identifiers}||EXAMPLE^ALEX||20200201|M\rPV1|1|E\r\x1c\r").encode()


def plain():
    return socket.create_connection((HOST, int(PORT)), SECONDS)


def context(certificate="pas", **limits):
    made = ssl.create_default_context(cafile=os.path.join(CERTIFICATES, "site-ca.pem"))
    if certificate is not None:
        made.load_cert_chain(os.path.join(CERTIFICATES, certificate + ".pem"), os.path.join(CERTIFICATES, certificate + ".key"))
    for name, value in limits.items():
        setattr(made, name, value)
    return made


def connect(by=None):
    return (by or context()).wrap_socket(plain(), server_hostname="127.0.0.1")


def ask(connection, control, identifiers=KNOWN):
    connection.sendall(message(control, identifiers))
    return read_ack(connection)


def read_all(connection):
    """Until it ends, however."""
    got = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while data := connection.recv(65536):
            got += data
    return got


def gets_nothing(by):
    """In TLS 1.3 the sender hears of it after its own part of the handshake. Why it was is in the adaptor's log."""
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        with connect(by) as connection:
            connection.sendall(message("refused"))
            got = connection.recv(65536)
            assert got == b"", got


def others_are_served(control):
    with connect() as connection:
        assert "|AA|" in (said := ask(connection, control)) and "|Y^" in said, said


def open_connections():
    """That the adaptor holds: sockets with its port that belong to a process."""
    with open(f"/proc/{PID}/net/tcp", encoding="ascii") as file:
        lines = [line.split() for line in file][1:]
    return sum(line[1].endswith(f":{int(PORT):04X}") and line[3] != LISTENING and line[9] != "0" for line in lines)


def until(condition, what):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.05)


# ---------------------------------------------------------------------- cases

def a_sender_with_a_certificate_is_answered():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with connect(context(minimum_version=version, maximum_version=version)) as connection:
            for number in range(3):
                said = ask(connection, f"good-{version.name}-{number}")
                assert "|AA|" in said and "|Y^" in said, said


def without_a_certificate_there_is_no_answer():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        gets_nothing(context(None, minimum_version=version, maximum_version=version))


def nor_with_one_that_does_not_hold():
    for certificate in ("stranger", "expired", "future", "server", "other-ca"):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            gets_nothing(context(certificate, minimum_version=version, maximum_version=version))


def nor_by_an_old_version():
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        old = context()
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = version
        old.maximum_version = version
        gets_nothing(old)


def nor_in_plain_text():
    with plain() as connection:
        connection.sendall(message("plain"))
        assert b"MSA" not in read_all(connection)


def stalled_handshakes_hold_up_nobody_and_end():
    stalled = [plain() for _ in range(STALLED)]
    for connection in stalled[::2]:  # some have begun: a ClientHello that goes on
        with contextlib.suppress(ConnectionError):
            connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    others_are_served("while-stalled")
    for connection in stalled:
        read_all(connection)  # its end, or the test's deadline
        connection.close()
    until(lambda: open_connections() == 0, "all are closed")


def a_cut_message_is_neither_done_nor_acknowledged():
    before = len(os.listdir(ANSWERS))
    whole = message("cut")
    for cut in (1, len(whole) // 2, len(whole) - 2, len(whole) - 1):
        with connect() as connection:
            connection.sendall(whole[:cut])  # and TLS's own end
            with contextlib.suppress(OSError):
                connection.unwrap()
        connection = connect()
        connection.sendall(whole[:cut])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()  # a reset
        with plain() as raw:  # without TLS's end: its last record is cut
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            inner = context().wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
            while True:
                try:
                    inner.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    incoming.write(raw.recv(65536))
            inner.write(whole[:cut])
            raw.sendall(outgoing.read()[:-1])
    others_are_served("after-the-cut")
    assert len(os.listdir(ANSWERS)) == before + 1, "a message of which a part came was dealt with"


def who_is_cut_off_before_the_acknowledgement_sends_it_again():
    connection = connect()
    connection.sendall(message("again"))
    connection.close()
    with connect() as connection:
        assert "|AA|" in ask(connection, "again")


def stalled_senders_make_room():
    """With certificates, in the middle of a message: more than there are connections for."""
    stalled = []
    for number in range(80):
        connection = connect()
        connection.sendall(message(f"stalled-{number}")[:number + 1])
        stalled.append(connection)
    others_are_served("while-senders-stall")
    # The first made room; the last go on where they were.
    assert read_all(stalled[0]) == b""
    stalled[-1].sendall(message("stalled-79")[80:])
    assert "|AA|" in read_ack(stalled[-1])
    for connection in stalled:
        connection.close()


def who_does_not_read_is_given_up():
    with connect() as connection:
        connection.settimeout(SECONDS)
        sender = "x" * 60000  # comes back in each acknowledgement
        try:
            for number in range(2000):
                connection.sendall(message(f"unread-{number}", KNOWN, sender).replace(b"ADT^A04", b"ADT^A99"))
            raise AssertionError("all of it was taken")
        except (ConnectionError, ssl.SSLError) as error:
            assert not isinstance(error, TimeoutError), error
    others_are_served("after-who-does-not-read")


def main():
    global held
    for case in (a_sender_with_a_certificate_is_answered, without_a_certificate_there_is_no_answer, nor_with_one_that_does_not_hold,
                 nor_by_an_old_version, nor_in_plain_text, stalled_handshakes_hold_up_nobody_and_end,
                 a_cut_message_is_neither_done_nor_acknowledged, who_is_cut_off_before_the_acknowledgement_sends_it_again,
                 stalled_senders_make_room, who_does_not_read_is_given_up):
        begun = time.monotonic()
        try:
            case()
        except (AssertionError, OSError) as error:
            raise SystemExit(f"tls.py: {case.__name__}: {type(error).__name__}: {error}") from error
        print(f"{case.__name__}: {time.monotonic() - begun:.1f} s")
        held += 1
    until(lambda: open_connections() == 0, "all are closed at the end")
    print(f"{held} cases")


main()
