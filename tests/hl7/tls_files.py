"""Certificates for the listener by TLS: usage: tls_files.py DIRECTORY. A site's authority and another one; a server, senders good and bad."""
import datetime
import ipaddress
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.utcnow()


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def write(path, data):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def issue(directory, name, by=None, purpose=None, begins=NOW - DAY, ends=NOW + DAY):
    """Writes NAME.pem and NAME.key; `by` is an authority, (name, key), or None for one's own."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer, signer = by or (name, key)
    builder = (x509.CertificateBuilder().subject_name(name_of(name)).issuer_name(name_of(issuer)).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
               .add_extension(x509.BasicConstraints(by is None, None), critical=True))
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if purpose == ExtendedKeyUsageOID.SERVER_AUTH:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    write(os.path.join(directory, name + ".pem"), builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    write(os.path.join(directory, name + ".key"), key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                                    serialization.NoEncryption()))
    return name, key


def main():
    directory = sys.argv[1]
    site, other = issue(directory, "site-ca"), issue(directory, "other-ca")
    issue(directory, "adt", site, ExtendedKeyUsageOID.SERVER_AUTH)
    issue(directory, "pas", site, ExtendedKeyUsageOID.CLIENT_AUTH)
    issue(directory, "expired", site, ExtendedKeyUsageOID.CLIENT_AUTH, NOW - 3 * DAY, NOW - 2 * DAY)
    issue(directory, "future", site, ExtendedKeyUsageOID.CLIENT_AUTH, NOW + DAY, NOW + 2 * DAY)
    issue(directory, "server", site, ExtendedKeyUsageOID.SERVER_AUTH)
    issue(directory, "stranger", other, ExtendedKeyUsageOID.CLIENT_AUTH)
    key = serialization.load_pem_private_key(open(os.path.join(directory, "adt.key"), "rb").read(), None)
    write(os.path.join(directory, "locked.key"), key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                                   serialization.BestAvailableEncryption(b"a passphrase")))


main()
