"""What senders of these tests share: the acknowledgement that a connection brings."""


def read_ack(connection):
    got = b""
    while not got.endswith(b"\x1c\r"):
        data = connection.recv(65536)
        assert data, f"the connection ended after {got!r}"
        got += data
    return got.decode()
