#!/usr/bin/python3
"""Inside the container: an identity provider, what a patient administration system sends, and what a FHIR client asks.

usage: ask.py provider DIRECTORY          a key, and its set for the broker
       ask.py flag NHS_NUMBER             the bundle of a flag search by cpis-fhir, for Grace Okafor by a token of that provider
       ask.py adt CONTROL_ID NHS_NUMBER   the acknowledgement of an ADT message by cpis-hl7
"""
import base64
import http.client
import json
import os
import socket
import ssl
import sys
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

ISSUER, KEY, SECONDS = "https://am.identity.example/openam", "/root/world/provider.key", 20


def base64url(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def provider(directory):
    key = ec.generate_private_key(ec.SECP256R1())
    with open(KEY, "wb") as file:
        file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    point = key.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": base64url(point.x.to_bytes(32, "big")), "y": base64url(point.y.to_bytes(32, "big")),
           "kid": "one", "use": "sig", "alg": "ES256"}
    os.makedirs(directory, exist_ok=True)
    with open(f"{directory}/provider.jwks", "w", encoding="utf-8") as file:
        json.dump({"keys": [jwk]}, file)
    with open(f"{directory}/provider.yaml", "w", encoding="utf-8") as file:
        file.write(f'issuer: {ISSUER}\njwks_file: provider.jwks\nalgorithms: [ES256]\nassurance_level: "3"\n'
                   "audiences:\n  - {system: RXH/fhir, audience: cpis-fhir-rxh}\n")
    return True


def token():
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": "555000000001", "aud": "cpis-fhir-rxh", "jti": os.urandom(16).hex(), "iat": now, "exp": now + 300,
              "auth_time": now - 60, "authentication_assurance_level": "3", "id_assurance_level": "3", "nhsid_useruid": "555000000001",
              "name": "Grace Okafor", "nhsid_nrbac_roles": [{"org_code": "RXH", "role_code": "S8000:G8000:R8001"}]}
    text = ".".join(base64url(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256", "kid": "one"}, claims))
    with open(KEY, "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def flag(number):
    context = ssl.create_default_context(cafile="/etc/cpis/fhir/fhir.pem")
    connection = http.client.HTTPConnection("fhir.example")
    connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.2", 443), SECONDS), server_hostname="fhir.example")
    body = urllib.parse.urlencode({"patient:identifier": f"https://fhir.nhs.uk/Id/nhs-number|{number}"})
    connection.request("POST", "/Flag/_search", body,
                       {"Authorization": f"Bearer {token()}", "Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    print(answer.status, answer.read().decode())
    return answer.status == 200


def adt(control, number):
    with socket.create_connection(("127.0.0.1", 2575), SECONDS) as connection:
        connection.sendall(f"\x0bMSH|^~\\&|PAS|RXH|CPIS|RXH|20261127030000||ADT^A04|{control}|P|2.4\rEVN|A04|20261127030000\r"
                           f"PID|1||{number}^^^NHS^NH||EXAMPLE^ALEX||20200201|M\rPV1|1|E\r\x1c\r".encode())
        got = b""
        while not got.endswith(b"\x1c\r") and (part := connection.recv(65536)):
            got += part
    print(got.decode().replace("\r", "\n"))
    return b"|AA|" in got


sys.exit(0 if {"provider": provider, "flag": flag, "adt": adt}[sys.argv[1]](*sys.argv[2:]) else 1)
