"""Who a certificate says somebody is, by the trust bundle: certs/README.md has the profile and what is checked."""
import contextlib
import datetime
import os
import time
import urllib.parse

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from pyasn1.codec.der import decoder
from pyasn1.error import PyAsn1Error
from pyasn1_modules import rfc5280

from cpis_errors import CertificateError, Usage
from cpis_log import Verifier

ARC = "2.25.185455635316991931809667461232443724531."
UID, ORGANISATION, NAME = (x509.ObjectIdentifier(oid) for oid in ("0.9.2342.19200300.100.1.1", "2.5.4.97", "2.5.4.3"))
# Of each kind: its authority, the last number of its purpose, its key, its key usage in DER, the subject's other attribute.
KINDS = {"broker": ("systems", "2", x25519.X25519PublicKey, b"\x03\x02\x03\x08", None),
         "system": ("systems", "1", x25519.X25519PublicKey, b"\x03\x02\x03\x08", ORGANISATION),
         "staff": ("staff", "3", ed25519.Ed25519PublicKey, b"\x03\x02\x07\x80", UID)}
CONSTRAINTS, USAGE, PURPOSE, ALTERNATIVES = "2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17"
SUBJECT_KEY, AUTHORITY_KEY = "2.5.29.14", "2.5.29.35"


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}") from error


def raw_key(public_key):
    """The 32 bytes."""
    return public_key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def signed_by(thing, bytes_signed, authority):
    with contextlib.suppress(InvalidSignature):
        authority.public_key().verify(thing.signature, bytes_signed)
        return thing.issuer == authority.subject
    return False


class Trust:
    """A trust bundle: three authorities with their lists, and while they are changed, three more in next/."""

    def __init__(self, directory):
        self.generations = [self._load(directory)]
        if os.path.isdir(os.path.join(directory, "next")):
            self.generations.append(self._load(os.path.join(directory, "next")))
        self.log = Verifier(read(os.path.join(directory, "log.vkey")).decode(errors="replace"))
        self.previous, self.succeeded = None, (0, b"")
        if os.path.exists(os.path.join(directory, "log.previous")):
            self.previous = Verifier(read(os.path.join(directory, "log.previous")).decode(errors="replace"))
            if os.path.exists(os.path.join(directory, "log.succeeded")):
                self.succeeded = self.previous.open(read(os.path.join(directory, "log.succeeded")))

    @staticmethod
    def _load(directory):
        files = {}
        for name, path_length in (("root", 1), ("systems", 0), ("staff", 0)):
            try:
                place = os.path.join(directory, name)
                authority = x509.load_pem_x509_certificate(read(place + ("" if name == "root" else "-ca") + ".pem"))
                listed = x509.load_pem_x509_crl(read(place + ".crl.pem"))
                limits = authority.extensions.get_extension_for_class(x509.BasicConstraints)
                good = limits.critical and limits.value == x509.BasicConstraints(True, path_length)
            except (ValueError, x509.ExtensionNotFound) as error:
                raise CertificateError(f"{place}: {error}; copy the trust bundle again") from error
            files[name] = (authority, listed)
            if not good or not signed_by(authority, authority.tbs_certificate_bytes, files["root"][0]) or \
                    not signed_by(listed, listed.tbs_certlist_bytes, authority) or any(e.critical for e in listed.extensions):
                raise CertificateError(f"{place}: not signed by its authority, or not a whole list; copy the trust bundle again")
        return files

    def check(self, kind, certificate, place, now=None):
        """The certificate's (name, other attribute, public key), or CertificateError. `certificate` is DER or PEM, `now` seconds."""
        certificate = self.parse(certificate, place)
        failures = []
        for files in self.generations:
            fault = self._fault(files, kind, certificate, datetime.datetime.utcfromtimestamp(time.time() if now is None else now))
            if fault is None:
                subject = {attribute.oid: attribute.value for attribute in certificate.subject}
                return subject[NAME], subject.get(KINDS[kind][4]), certificate.public_key()
            failures.append(fault)
        raise CertificateError(f"{place}: {failures[0][1]}; ask the registration authority for another, or for newer lists", failures[0][0])

    @staticmethod
    def parse(data, place):
        try:
            return (x509.load_pem_x509_certificate if data.startswith(b"-----") else x509.load_der_x509_certificate)(data)
        except ValueError as error:
            raise CertificateError(f"{place}: not a well-formed certificate") from error

    @staticmethod
    def _fault(files, kind, certificate, now):
        issuer = KINDS[kind][0]
        for subject, name in ((certificate, issuer), (files[issuer][0], "root"), (files["root"][0], None)):
            if name is not None and not signed_by(subject, subject.tbs_certificate_bytes, files[name][0]):
                return "CHAIN", "not issued by the right authority"
            if now < subject.not_valid_before:
                return "NOT_YET_VALID", "not valid yet"
            if now >= subject.not_valid_after:
                return "EXPIRED", "expired"
            if name is not None:
                listed = files[name][1]
                if listed.next_update is None or not listed.last_update <= now < listed.next_update:
                    return "CRL", "its authority's revocation list is out of date"
                if listed.get_revoked_certificate_by_serial_number(subject.serial_number) is not None:
                    return "REVOKED", "revoked"
        try:
            return profile_fault(kind, certificate)
        except (ValueError, PyAsn1Error):
            return "MALFORMED", "not a well-formed certificate"


def alternatives_hold(kind, value, uri):
    """The one URI, first; behind it at most a system's web host."""
    names, rest = decoder.decode(value, asn1Spec=rfc5280.SubjectAltName())
    names = [(name.getName(), str(name.getComponent())) for name in names]
    behind = names[1:]
    return not rest and names[:1] == [("uniformResourceIdentifier", uri)] and \
        (not behind or kind == "system" and len(behind) == 1 and behind[0][0] == "dNSName")


def profile_fault(kind, certificate):
    """None, or a word and a sentence. The extensions are read by pyasn1: cryptography has no purposes with numbers of 128 bits."""
    _, purpose, key_type, usage, attribute = KINDS[kind]
    parsed, _ = decoder.decode(certificate.public_bytes(serialization.Encoding.DER), asn1Spec=rfc5280.Certificate())
    listed = [(str(e["extnID"]), bool(e["critical"]), bytes(e["extnValue"])) for e in parsed["tbsCertificate"]["extensions"]]
    values, critical = {oid: value for oid, _, value in listed}, {oid for oid, is_critical, _ in listed if is_critical}
    subject = {a.oid: a.value for a in certificate.subject}
    parts = ["urn:cpis", kind] + ([subject[attribute]] if attribute in subject else [])
    uri = ":".join(parts + ([] if kind == "staff" else [urllib.parse.quote(subject.get(NAME, ""), safe="")]))
    purposes, _ = decoder.decode(values.get(PURPOSE, b"\x30\x00"), asn1Spec=rfc5280.ExtKeyUsageSyntax())
    purposes = [str(one) for one in purposes]
    if ARC + purpose not in purposes:
        return "PURPOSE", "it is for another use"
    if len(purposes) != 1 or len(values) != len(listed) or critical - {CONSTRAINTS, USAGE, PURPOSE, ALTERNATIVES}:
        return "PROFILE", "it has more than one use, an extension twice, or a critical one outside the profile"
    if set(subject) != ({NAME, attribute} if attribute else {NAME}) or len(list(certificate.subject)) != len(subject):
        return "PROFILE", "its subject is not of the profile"
    if not alternatives_hold(kind, values.get(ALTERNATIVES, b"\x30\x00"), uri):
        return "PROFILE", "its alternative name is not the one that goes with its subject"
    if values.get(CONSTRAINTS) != b"\x30\x00" or values.get(USAGE) != usage or not {CONSTRAINTS, USAGE} <= critical or \
            not {SUBJECT_KEY, AUTHORITY_KEY} <= set(values) or not isinstance(certificate.public_key(), key_type):
        return "PROFILE", "its key, key usage, constraints or key identifiers are not of the profile"
    return None
