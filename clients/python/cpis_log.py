"""Proofs from the audit log: proto/README.md, "Receipts"."""
import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

import cpis_pb2 as pb
from cpis_errors import LogForked, LogShortened, ProofError, Usage
from cpis_wire import strict


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def unbase64(text):
    """With padding, and in the one form that there is of it; ValueError."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("another form of base64")
    return data


def included(leaf, index, size, path, root):
    """RFC 9162, 2.1.3.2."""
    if index >= size:
        return False
    fn, sn, node = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            node = sha256(b"\x01", sibling, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = sha256(b"\x01", node, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and node == root


def grown(old_size, old_root, size, root, proof):
    """RFC 9162, 2.1.4.2; a tree is the beginning of itself."""
    if old_size == size or old_size == 0 or old_size > size:
        return old_size == size and not proof and old_root == root
    proof = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    fn, sn = old_size - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    if len(proof) < 2 and not old_size & (old_size - 1) or not proof:
        return False
    fr = sr = proof[0]
    for node in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = sha256(b"\x01", node, fr), sha256(b"\x01", node, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = sha256(b"\x01", sr, node)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == root


class Verifier:
    """A log's verifier key, as in log.vkey."""

    def __init__(self, line):
        try:
            self.origin, key_id, blob = line.strip().split("+", 2)
            self.key = unbase64(blob)
            self.id = sha256(self.origin.encode(), b"\n", self.key)[:4]
            if self.key[:1] != b"\x01" or len(self.key) != 33 or self.id.hex() != key_id:
                raise ValueError("another kind of key")
        except ValueError as error:
            raise Usage("log.vkey: not an Ed25519 verifier key; copy the trust bundle again") from error

    def open(self, note):
        """(size, root) of a checkpoint that this log's key signed; ProofError."""
        try:
            text, _, signatures = note.partition(b"\n\n")
            origin, size, root = text.decode().split("\n")
            lines = signatures.decode().split("\n")
            if origin != self.origin or len(note) > 4608 or lines.pop() != "" or not size.isascii() or str(int(size)) != size:
                raise ValueError("form or origin")
            blobs = [self._blob(line) for line in lines]
            own = [blob for name, blob in blobs if name == self.origin and blob[:4] == self.id]
            for blob in own:
                ed25519.Ed25519PublicKey.from_public_bytes(self.key[1:]).verify(blob[4:], text + b"\n")
            root_hash = unbase64(root)
            if not own or len(root_hash) != 32:
                raise ValueError("not signed")
            return int(size), root_hash
        except (ValueError, InvalidSignature) as error:
            raise ProofError("the checkpoint was not signed by this audit log") from error

    @staticmethod
    def _blob(line):
        dash, name, blob = line.split(" ")
        if dash != "\u2014":
            raise ValueError("not a signature")
        return name, unbase64(blob)


def judge_growth(held, checkpoint, growth):
    """Whether (size, root) `checkpoint` is the log that `held` was: raises LogShortened or LogForked."""
    if checkpoint[0] < held[0]:
        raise LogShortened(f"the log has {checkpoint[0]} records and had {held[0]}")
    if held[0] and not grown(*held, *checkpoint, growth if checkpoint[0] > held[0] else []):
        raise LogForked(f"the log of {checkpoint[0]} records does not begin with the {held[0]} that it had")


def held_of_previous(held, succeeded):
    """What a client remembers of the log before: the successor begins with that, or what is beyond is lost and proves nothing."""
    return held if held[0] <= succeeded[0] else (0, b"")


def judge_record(log, receipt):
    """The checkpoint that the receipt's record leads to, and the record; ProofError."""
    checkpoint = log.open(receipt.checkpoint.encode())
    commitment = sha256(receipt.salt, receipt.record)
    if len(receipt.salt) != 16 or any(len(node) != 32 for node in [*receipt.path, *receipt.growth]) or \
            not included(sha256(b"\x00", commitment), receipt.index, *checkpoint[:1], receipt.path, checkpoint[1]):
        raise ProofError("the record is not proven to be in the audit log; do not show the reply, and report it")
    return checkpoint, strict(pb.AuditRecord, receipt.record, ProofError)


def judge_receipt(log, request, reply, system, broker_name, held_size):
    """The checkpoint that has to have grown from what is held, and is then remembered; None where none is to be; ProofError. `system` is
    (organisation, name)."""
    checkpoint, record = judge_record(log, reply.receipt)
    unread = record.operation == pb.OPERATION_UNSPECIFIED and record.outcome != pb.OK
    nobody = (record.organisation, record.system_name) == ("", "") and record.outcome == pb.ASID_CHECK_FAILED
    said = (record.version, record.index, record.request_id, record.outcome, record.reason_code, record.broker_name)
    if said != (1, reply.receipt.index, request.request_id, reply.outcome, reply.reason_code, broker_name) or \
            not (unread or record.operation == operation_of(request)) or not (nobody or (record.organisation, record.system_name) == system):
        raise ProofError("the audit record speaks of something else; do not show the reply, and report it")
    # Of a request that could not be read the broker does not know what its asker holds, so there is no growth to a larger one.
    return None if unread and checkpoint[0] > held_size else checkpoint


def operation_of(request):
    """Bodies are numbered in the order of the operations."""
    return pb.Request.DESCRIPTOR.fields_by_name[request.WhichOneof("body")].number - 15


def is_nhs_number(text):
    """Ten digits with the right check digit, as on the wire."""
    if len(text) != 10 or not (text.isascii() and text.isdigit()) or len(set(text)) == 1:
        return False
    return (11 - sum(int(digit) * (10 - place) for place, digit in enumerate(text[:9])) % 11) % 11 == int(text[9])
