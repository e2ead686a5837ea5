"""A client of the cpis broker in Python, by proto/README.md: for record systems and tools that are not written in C.

    import cpis
    client = cpis.Client("tcp://broker.example:5671", "cpis-1", broker_certificate="broker.pem", trust_directory="trust",
                         system_certificate="ed.pem", system_key="ed.key", checkpoint_file="ed.checkpoint")
    client.open_session("grace.pem", "grace.key", "R8001")
    answer = client.call(cpis.pb.Request(flag={"nhs_number": "9990000018", "care_setting": "EMERGENCY_DEPARTMENT"}))
    print(answer.flag.flag, answer.flag.notice)

What comes back has been proven to be in the audit log, and that log to have only grown since `checkpoint_file` was last written. A
refusal is an exception (Refused) with the proven reply in it. One call at a time, from one thread. Python cannot wipe a key from memory.
"""
import contextlib
import os
import random
import secrets
import time

import zmq
import zmq.utils.z85
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from zmq.utils.monitor import recv_monitor_message

import cpis_pb2 as pb
from cpis_errors import (CertificateError, Error, LogForked, LogShortened, NoAnswer, NotAdmitted, ProofError,  # noqa: F401
                         ProtocolError, Refused, StateError, Usage)
from cpis_log import is_nhs_number, judge_receipt  # noqa: F401
from cpis_memory import Memory
from cpis_trust import Trust, raw_key, read
from cpis_wire import strict

MESSAGE_BYTES_MAX = 65503
SILENCE_S = 2.0
REPLIES_AT_ONCE = 100
BACKOFF_SPAN_S_MAX = 5.0
WITHOUT_TOKEN = ("ping", "session_open", "audit_consistency", "checkpoint_exchange")
EVENTS = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_DISCONNECTED


def load_key(path, kind):
    """A private key of `kind` from a file that nobody else can read."""
    data = read(path)
    if os.stat(path).st_mode & 0o077:
        raise Usage(f"{path}: the key file can be read or written by others: chmod 600")
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (TypeError, ValueError) as error:
        raise Usage(f"{path}: not a private key in PEM") from error
    if not isinstance(key, kind):
        raise Usage(f"{path}: the key is not of the type this use needs")
    return key


def now_ms():
    return time.time_ns() // 1000000


class Client:
    """A connection to one broker."""

    def __init__(self, endpoint, broker_name, broker_certificate, trust_directory, system_certificate, system_key, checkpoint_file=None):
        self.endpoint, self.broker_name = endpoint, broker_name
        self.trust = Trust(trust_directory)
        name, _, broker_key = self.trust.check("broker", read(broker_certificate), broker_certificate)
        if name != broker_name:
            raise CertificateError(f"{broker_certificate}: it is of {name!r} and not of {broker_name!r}; do not connect", "NAME")
        name, organisation, own_key = self.trust.check("system", read(system_certificate), system_certificate)
        key = load_key(system_key, x25519.X25519PrivateKey)
        self.system, self.curve_public, self.token = (organisation, name), raw_key(own_key), b""
        self.staff_key = None
        if raw_key(key.public_key()) != self.curve_public:
            raise Usage(f"{system_key}: the private key does not belong to {system_certificate}")
        self.memory = Memory(self.trust, checkpoint_file, self.system)
        self.context = zmq.Context()
        self._options = {zmq.CURVE_SERVERKEY: zmq_key(raw_key(broker_key)), zmq.CURVE_PUBLICKEY: zmq_key(self.curve_public),
                         zmq.CURVE_SECRETKEY: zmq_key(key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
                                                                        serialization.NoEncryption())),
                         zmq.MAXMSGSIZE: 65536, zmq.IMMEDIATE: 1, zmq.LINGER: 0, zmq.RECONNECT_IVL: 100, zmq.RECONNECT_IVL_MAX: 2000,
                         zmq.HANDSHAKE_IVL: 5000, zmq.CONNECT_TIMEOUT: 5000, zmq.HEARTBEAT_IVL: 5000, zmq.HEARTBEAT_TIMEOUT: 15000,
                         zmq.IPV6: 1}
        self.socket = None

    def close(self):
        """Forgets the session and ends the connection."""
        self.token, self.staff_key = b"", None
        self._disconnect()
        self.context.term()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    # ---- sessions and calls

    def open_session(self, staff_certificate, staff_key, role, deadline_ms=5000):
        """Signs in. The key stays, for signed acts, until close()."""
        uid, certificate = self._person(staff_certificate, staff_key)
        statement = pb.SessionStatement(uid=uid, role_code=role, organisation=self.system[0], channel_key=self.curve_public,
                                        broker_name=self.broker_name, time_ms=now_ms(), nonce=secrets.token_bytes(16))
        packed = statement.SerializeToString(deterministic=True)
        opening = pb.SessionOpenRequest(statement=packed, signature=self.staff_key.sign(session_text(packed)),
                                        staff_certificate=certificate)
        reply = self.call(pb.Request(session_open=opening), deadline_ms)
        self.token = reply.session_open.session_token
        return reply

    def call(self, request, deadline_ms=5000, sign=False, request_id=None):
        """The proven reply to a Request that has its body only. `sign`: as an act, by the session's person. After NoAnswer the same
        request_id may be given again, with the same body: what the request does is done once."""
        body = request.WhichOneof("body")
        sent = pb.Request(protocol_version=1, request_id=request_id or secrets.token_bytes(16))
        sent.MergeFrom(request)
        if sign and self.staff_key is None:
            raise Usage("nobody is signed in who could sign; open a session first")
        if sign:
            sent.act_time_ms = now_ms()
            sent.act_signature = self.staff_key.sign(act_text(sent, self.broker_name))
        sent.log_size = self.memory.held[0]
        if body not in WITHOUT_TOKEN:
            sent.session_token = self.token
        reply = self._exchange(sent, time.monotonic() + deadline_ms / 1000)
        self._judge(sent, reply)
        self.token = reply.session_token or self.token
        if reply.outcome != pb.OK:
            raise Refused(reply)
        return reply

    def _person(self, certificate_file, key_file):
        data = read(certificate_file)
        _, uid, public = self.trust.check("staff", data, certificate_file)
        self.staff_key = load_key(key_file, ed25519.Ed25519PrivateKey)
        if raw_key(self.staff_key.public_key()) != raw_key(public):
            raise Usage(f"{key_file}: the private key does not belong to {certificate_file}")
        return uid, self.trust.parse(data, certificate_file).public_bytes(serialization.Encoding.DER)

    # ---- one request, sent until it is answered

    def _connect(self):
        if self.socket is None:
            self.socket = self.context.socket(zmq.DEALER)
            for option, value in self._options.items():
                self.socket.setsockopt(option, value)
            self.monitor = self.socket.get_monitor_socket(EVENTS)
            self.socket.connect(self.endpoint)

    def _disconnect(self):
        if self.socket is not None:
            self.socket.disable_monitor()
            self.monitor.close(0)
            self.socket.close(0)
            self.socket = None

    def _exchange(self, request, end):
        body = getattr(request, request.WhichOneof("body"))
        silence = max(SILENCE_S, getattr(body, "wait_ms", 0) / 1000 + SILENCE_S)
        send_at, pause, turned_away = 0.0, 0.1, 0
        while (now := time.monotonic()) < end:
            self._connect()
            if now >= send_at and self._send(request, end):
                send_at = now + silence
            waits = zmq.POLLIN | (zmq.POLLOUT if now >= send_at else 0)
            until = min(end, send_at) if send_at > now else end
            poller = zmq.Poller()
            poller.register(self.socket, waits)
            poller.register(self.monitor, zmq.POLLIN)
            poller.poll(max(0, (until - now) * 1000))
            reply = self._receive(request)
            if reply is not None and reply.outcome in (pb.SERVICE_UNAVAILABLE, pb.DEADLINE_EXPIRED) and reply.retry_after_ms:
                send_at = time.monotonic() + backoff_s(reply.retry_after_ms, turned_away)
                turned_away += 1
                if send_at < end:
                    continue
            if reply is not None:
                return reply
            if self._is_broken():
                self._disconnect()
                time.sleep(max(0, min(pause, end - time.monotonic())))
                send_at, pause = 0.0, min(2 * pause, 2.0)
        raise NoAnswer(f"{self.endpoint}: no answer before the deadline; try again with the same request_id")

    def _send(self, request, end):
        request.deadline_ms = max(1, min(60000, int((end - time.monotonic()) * 1000)))
        packed = request.SerializeToString(deterministic=True)
        if len(packed) > MESSAGE_BYTES_MAX:
            raise Usage("the request is larger than a message may be; send it in parts")
        try:
            self.socket.send(packed, zmq.DONTWAIT)
            return True
        except zmq.Again:
            return False

    def _receive(self, request):
        with contextlib.suppress(zmq.Again):
            for _ in range(REPLIES_AT_ONCE):  # what answers nothing does not keep it from looking at the time
                frames = self.socket.recv_multipart(zmq.DONTWAIT)
                if len(frames) != 1 or len(frames[0]) > MESSAGE_BYTES_MAX:
                    raise ProtocolError("the reply is not one message; report it to who runs the broker")
                reply = strict(pb.Reply, frames[0])
                if reply.request_id == request.request_id:
                    return reply
        return None

    def _is_broken(self):
        """Whether the connection was lost: libzmq gives some up for good."""
        broken = False
        while self.monitor.poll(0):
            event = recv_monitor_message(self.monitor)
            if event["event"] == zmq.EVENT_HANDSHAKE_FAILED_AUTH and event["value"] >= 400:
                self._disconnect()
                raise NotAdmitted(f"{self.endpoint}: the system {self.system[1]} of {self.system[0]} is not enrolled there, or no longer")
            broken = True
        return broken

    # ---- what is believed

    def _judge(self, request, reply):
        judge_form(request, reply)
        if not reply.HasField("receipt"):
            return
        checkpoint = judge_receipt(self.trust.log, request, reply, self.system, self.broker_name, self.memory.held[0])
        if checkpoint is not None:
            self.memory.take(checkpoint, reply.receipt)


def backoff_s(retry_after_ms, times):
    """The broker's own figure is the least. What is added by chance may be as much, and twice as much each further time: all who were
    turned away together do not come back together."""
    return retry_after_ms / 1000 + random.random() * min(BACKOFF_SPAN_S_MAX, (retry_after_ms / 1000) * 2 ** min(times, 16))


def zmq_key(data):
    """pyzmq takes CURVE keys as Z85."""
    return zmq.utils.z85.encode(data)


def session_text(statement):
    """What is signed of a statement's bytes: proto/README.md, "Opening a session"."""
    return b"cpis-session-v1\n" + statement


def act_text(request, broker_name):
    """What is signed of an act: proto/README.md, "Signed acts"."""
    bare = pb.Request()
    bare.CopyFrom(request)
    for field in ("deadline_ms", "session_token", "act_signature", "act_browser_proof", "log_size", "trace_id", "trace_parent_id"):
        bare.ClearField(field)
    return b"cpis-act-v1\n" + broker_name.encode() + b"\n" + bare.SerializeToString(deterministic=True)


def judge_form(request, reply):
    """The reply is one to this request: its body, and a receipt unless nothing could be recorded. ProtocolError."""
    if reply.protocol_version != 1 or reply.WhichOneof("body") != (request.WhichOneof("body") if reply.outcome == pb.OK else None) or \
            not (reply.HasField("receipt") or reply.outcome == pb.SERVICE_UNAVAILABLE):
        raise ProtocolError("the reply is not one to this request, or has no receipt; report it to who runs the broker")
