"""All vectors, by the Python client."""
import json
import os
import tempfile
import types

import cpis
import cpis_log
import cpis_wire
from cpis_memory import Memory
from cpis_trust import Trust, raw_key
from cryptography.hazmat.primitives import serialization
from google.protobuf import json_format

failures = []
checked = 0


def check(holds, what):
    global checked
    checked += 1
    if not holds:
        failures.append(what)


def load(directory, name):
    with open(os.path.join(directory, name + ".json"), encoding="utf-8") as file:
        return json.load(file)


def raises(call, *arguments):
    try:
        call(*arguments)
    except cpis.Error as error:
        return error
    return None


def nhs_numbers(vectors):
    for case in vectors["cases"]:
        check(cpis_log.is_nhs_number(case["text"]) == case["valid"], f"NHS number {case['text']!r}")


def texts(vectors):
    for case in vectors["cases"]:
        fault = raises(cpis_wire.strict, cpis.pb.SessionStatement, bytes.fromhex(case["statement"]))
        check((fault is None) == case["good"], f"text: {case['statement']}")


def curve_keys(vectors):
    for case in vectors["cases"]:
        certificate = Trust.parse(bytes.fromhex(case["certificate"]), "vector")
        secret = serialization.load_pem_private_key(case["key_file"].encode(), None)
        check(raw_key(certificate.public_key()).hex() == case["public_key"], "public key out of a certificate")
        check(secret.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()).hex() ==
              case["secret_key"], "secret key out of a key file")


def broker_certificates(vectors):
    trusts = {}
    for name, files in vectors["bundles"].items():
        with tempfile.TemporaryDirectory() as directory:
            for file, text in files.items():
                with open(os.path.join(directory, file), "w", encoding="utf-8") as out:
                    out.write(text)
            trusts[name] = Trust(directory)
    for case in vectors["cases"]:
        key = None
        try:
            name, _, key = trusts[case["bundle"]].check("broker", bytes.fromhex(case["certificate"]), "vector", case["time_ms"] / 1000)
            verdict = "OK" if name == case["broker_name"] else "NAME"
        except cpis.CertificateError as error:
            verdict = error.code
        check(verdict == case["verdict"], f"broker's certificate: {case['name']}: {verdict}, not {case['verdict']}")
        check(verdict != "OK" or raw_key(key).hex() == case["curve_key"], "its key")


def sessions(vectors):
    key = serialization.load_pem_private_key(vectors["staff_key"].encode(), None)
    for case in vectors["cases"]:
        fields = {name: bytes.fromhex(value) if name in ("channel_key", "nonce") else value for name, value in case["fields"].items()}
        packed = cpis.pb.SessionStatement(**fields).SerializeToString(deterministic=True)
        check(packed.hex() == case["statement"], "statement")
        check(cpis.session_text(packed).hex() == case["signed"], "what is signed of a statement")
        check(key.sign(cpis.session_text(packed)).hex() == case["signature"], "a statement's signature")


def acts(vectors, key):
    for case in vectors["cases"]:
        request = cpis_wire.strict(cpis.pb.Request, bytes.fromhex(case["request"]))
        text = cpis.act_text(request, case["broker_name"])
        check(text.hex() == case["signed"], "what is signed of an act")
        check(key.sign(text).hex() == case["signature"] == request.act_signature.hex(), "an act's signature")


def operations(vectors):
    log, held = cpis_log.Verifier(vectors["vkey"]), (0, b"")
    system = (vectors["organisation"], vectors["system_name"])
    for exchange in vectors["exchanges"]:
        asked, told = bytes.fromhex(exchange["request"]["bytes"]), bytes.fromhex(exchange["reply"]["bytes"])
        request, reply = cpis_wire.strict(cpis.pb.Request, asked), cpis_wire.strict(cpis.pb.Reply, told)
        body = request.WhichOneof("body")
        made = json_format.ParseDict(exchange["request"]["body"], cpis.pb.Request())
        for field, _ in request.ListFields():
            if field.name != body or body == "session_open":
                made.MergeFrom(cpis.pb.Request(**{field.name: getattr(request, field.name)}))
        check(made.SerializeToString(deterministic=True) == asked, f"{body}: request")
        made = json_format.ParseDict(exchange["reply"]["body"], cpis.pb.Reply())
        check(getattr(made, body) == getattr(reply, body) and made.session_token == reply.session_token, f"{body}: reply")
        cpis.judge_form(request, reply)
        checkpoint = cpis_log.judge_receipt(log, request, reply, system, vectors["broker_name"], held[0])
        cpis_log.judge_growth(held, checkpoint, reply.receipt.growth)
        held = checkpoint
    for case in vectors["not_well_formed"]:
        check(isinstance(raises(cpis_wire.strict, cpis.pb.Request, bytes.fromhex(case["request"])), cpis.ProtocolError), case["name"])


def altered(vectors):
    for case in vectors["cases"]:
        fault = raises(cpis_wire.strict, getattr(cpis.pb, case["type"]), bytes.fromhex(case["bytes"]))
        check((fault is None) == case["good"], f"altered {case['type']}: {case['bytes']}")


def newer(vectors):
    """What is believed keeps what was added: its bytes are what they were."""
    for case in vectors["cases"]:
        data, read = bytes.fromhex(case["bytes"]), None
        try:
            read = cpis_wire.strict(getattr(cpis.pb, case["type"]), data)
        except cpis.ProtocolError:
            pass
        check((read is not None) == case["good"], f"newer fields: {case['name']}")
        check(read is None or read.SerializeToString(deterministic=True) == data, f"newer fields, kept: {case['name']}")


def verdict(log, held, case, vectors):
    """What a client that holds this says of the reply, and what it holds then."""
    request = cpis_wire.strict(cpis.pb.Request, bytes.fromhex(case["request"]))
    try:
        reply = cpis_wire.strict(cpis.pb.Reply, bytes.fromhex(case["reply"]))
        cpis.judge_form(request, reply)
        if not reply.HasField("receipt"):
            return "ok", held
        system = (vectors["organisation"], vectors["system_name"])
        checkpoint = cpis_log.judge_receipt(log, request, reply, system, vectors["broker_name"], held[0])
        if checkpoint is not None:
            cpis_log.judge_growth(held, checkpoint, reply.receipt.growth)
        return "ok", held if checkpoint is None else checkpoint
    except cpis.ProtocolError:
        return "not well-formed", held
    except cpis.LogShortened:
        return "log shortened", held
    except cpis.LogForked:
        return "log forked", held
    except cpis.ProofError:
        return "not proven", held


def receipts(vectors):
    log = cpis_log.Verifier(vectors["vkey"])
    for case in vectors["cases"]:
        held = log.open(case["held"].encode()) if case["held"] else (0, b"")
        said, after = verdict(log, held, case, vectors)
        check((said, after[0]) == (case["verdict"], case["size_held_after"]), f"receipt: {case['name']}: {said}, not {case['verdict']}")


def successions(vectors):
    log, previous = cpis_log.Verifier(vectors["vkey"]), cpis_log.Verifier(vectors["log.previous"])
    succeeded = previous.open(vectors["log.succeeded"].encode())
    for case in vectors["cases"]:
        held = cpis_log.held_of_previous(previous.open(case["held"].encode()), succeeded)
        check(held[0] == case["log_size"], f"succession: {case['name']}: log_size")
        said, after = verdict(log, held, case, vectors)
        check((said, after[0]) == (case["verdict"], case["size_held_after"]), f"succession: {case['name']}: {said}")
        remember_over_a_succession(types.SimpleNamespace(log=log, previous=previous, succeeded=succeeded), case)


def remember_over_a_succession(trust, case):
    """The file of the log before is put aside when this one's first checkpoint takes its place."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "checkpoint")
        with open(path, "w", encoding="utf-8") as file:
            file.write(case["held"])
        receipt = cpis_wire.strict(cpis.pb.Reply, bytes.fromhex(case["reply"])).receipt
        fault = raises(Memory(trust, path, ("RXH", "ed-record-system")).take, trust.log.open(receipt.checkpoint.encode()), receipt)
        with open(path, encoding="utf-8") as file:
            kept = file.read()
        aside = f"checkpoint.previous-{case['held'].split(chr(10))[1]}"
        if case["verdict"] == "ok":
            check(fault is None and kept == receipt.checkpoint and aside in os.listdir(directory), f"remembered: {case['name']}")
        else:
            check(isinstance(fault, cpis.LogForked) and kept == case["held"] and
                  any(name.startswith("checkpoint.evidence-") for name in os.listdir(directory)), f"evidence: {case['name']}")
            a_fork_is_told_when_it_cannot_be_kept(trust, case, receipt)


def a_fork_is_told_when_it_cannot_be_kept(trust, case, receipt):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "checkpoint")
        with open(path, "w", encoding="utf-8") as file:
            file.write(case["held"])
        memory = Memory(trust, path, ("RXH", "ed-record-system"))
    fault = raises(memory.take, trust.log.open(receipt.checkpoint.encode()), receipt)
    check(isinstance(fault, cpis.LogForked) and case["held"] in str(fault) and receipt.checkpoint in str(fault), f"evidence in words: {case['name']}")


def proofs(vectors):
    for case in vectors["inclusion"]:
        said = cpis_log.included(bytes.fromhex(case["leaf"]), case["index"], case["size"], [bytes.fromhex(h) for h in case["path"]],
                                 bytes.fromhex(case["root"]))
        check(said == case["holds"], f"inclusion of {case['index']} in {case['size']}")
    for case in vectors["consistency"]:
        said = cpis_log.grown(case["old_size"], bytes.fromhex(case["old_root"]), case["size"], bytes.fromhex(case["root"]),
                              [bytes.fromhex(h) for h in case["proof"]])
        check(said == case["holds"], f"consistency of {case['old_size']} with {case['size']}")


def checkpoints(vectors):
    log = cpis_log.Verifier(vectors["vkey"])
    for case in vectors["cases"]:
        fault = raises(log.open, case["note"].encode())
        check((fault is None) == case["holds"], f"checkpoint: {case['name']}")
        check(fault is not None or log.open(case["note"].encode()) == (case["size"], bytes.fromhex(case["root"])), "its size and root")


def run(directory):
    for check_all in (nhs_numbers, texts, curve_keys, broker_certificates, sessions, operations, altered, newer, receipts, successions, proofs, checkpoints):
        check_all(load(directory, check_all.__name__))
    acts(load(directory, "acts"), serialization.load_pem_private_key(load(directory, "sessions")["staff_key"].encode(), None))
    for failure in failures:
        print(f"vectors: {failure}")
    print(f"{checked} vectors, {len(failures)} failures")
    return 1 if failures else 0
