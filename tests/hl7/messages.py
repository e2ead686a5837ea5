"""What cpis-hl7 makes of messages, without network or broker: usage: messages.py. PYTHONPATH has clients/hl7 and clients/python.

Prints how many were looked at; exits 1 with the first that is taken for something else.
"""
import random

import cpis_hl7
from cpis_hl7 import Problem, Unreadable

ROUNDS = 3000
looked_at = 0


def header(control="c1", kind="ADT^A04", processing="P", version="2.4", charset="", separators="|^~\\&"):
    return f"MSH{separators}|PAS|RXH|CPIS|RXH|20261127030000||{kind}|{control}|{processing}|{version}||||||{charset}\r"


def patient(identifiers):
    return f"PID|1||{identifiers}||EXAMPLE^ALEX||20200201|M\r"


def outcome(text):
    """The number that is asked about, "passed over", "unreadable", or what the sender is told."""
    global looked_at
    looked_at += 1
    try:
        message = cpis_hl7.read_message(text if isinstance(text, bytes) else text.encode("latin-1"))
        return cpis_hl7.nhs_number(message) if cpis_hl7.is_asked_about(message) else "passed over"
    except Problem as problem:
        return f"{problem.ack} {problem.code}"
    except Unreadable:
        return "unreadable"


def must_be(text, wanted):
    said = outcome(text)
    if said != wanted:
        raise SystemExit(f"{text!r}: {said}, not {wanted}")


def identifiers():
    must_be(header() + patient("9990000018^^^NHS^NH"), "9990000018")
    must_be(header() + patient("H1^^^RXH^MR~999 000 0018^^^NHS^NH~H2^^^RYD^MR"), "9990000018")
    must_be(header() + patient("9990000018^^^NHS"), "9990000018")
    must_be(header() + patient("9990000018^^^^NH"), "9990000018")
    must_be(header() + patient("9990000018^^^NHS&2.16.840.1.113883.2.1.4.1&ISO"), "9990000018")
    must_be(header() + patient("9990000018^^^&2.16.840.1.113883.2.1.4.1&ISO^PI"), "9990000018")
    # Twice the same is one; another authority's of the same type gives way to the NHS's.
    must_be(header() + patient("9990000018^^^NHS^NH~999-000-0018^^^NHS^NH"), "9990000018")
    must_be(header() + patient("9990000026^^^RYD^NH~9990000018^^^NHS^NH"), "9990000018")
    must_be(header() + patient("9990000026^^^RYD^NH~9990000018^^^RXH^NH"), "AE 204")
    must_be(header() + patient("9990000026^^^NHS^NH~9990000018^^^NHS^NH"), "AE 204")
    must_be(header() + patient("9990000019^^^NHS^NH"), "AE 204")
    must_be(header() + patient("9990000018x^^^NHS^NH"), "AE 204")
    # Digits that are none of ASCII's.
    must_be((header(charset="UNICODE UTF-8") + patient("\u0669990000018^^^NHS^NH")).encode(), "AE 204")
    for none in ("", '""^^^NHS^NH', "^^^NHS^NH", "H1^^^RXH^MR", "~~~", "9990000018"):
        must_be(header() + patient(none), "")


def headers():
    must_be(header() + patient("9990000018^^^NHS^NH").replace("\r", "\r\n"), "9990000018")
    must_be(header(kind="ADT^A04^ADT_A01", version="2.5.1^GBR") + patient("9990000018^^^NHS^NH"), "9990000018")
    must_be(header(kind="ADT^A03") + patient("9990000018^^^NHS^NH"), "passed over")
    must_be(header(kind="ORU^R01"), "passed over")
    must_be(header(kind="ADT"), "AR 200")
    must_be(header(kind=""), "AR 200")
    must_be(header(control=""), "AE 101")
    must_be(header(processing="T") + patient("9990000018^^^NHS^NH"), "AR 202")
    must_be(header(processing="D^T") + patient("9990000018^^^NHS^NH"), "AR 202")
    must_be(header(version="3.0") + patient("9990000018^^^NHS^NH"), "AR 203")
    must_be(header(separators="|^~\\&#") + patient("9990000018^^^NHS^NH"), "9990000018")
    must_be(header(separators="|$%~\\&") + patient("9990000018$$$NHS$NH"), "AE 102")
    must_be((header() + patient("9990000018^^^NHS^NH")).replace("|", "#"), "AE 102")
    for text in (b"", b"\r", b"MSH|", b"nonsense", b"PID|1\r", b"MSH", b"MSH||||||\r"):
        said = outcome(text)
        if said not in ("unreadable", "AE 102"):
            raise SystemExit(f"{text!r}: {said}")


def several_in_one():
    one, two = header() + patient("9990000018^^^NHS^NH"), header("c2") + patient("9990000026^^^NHS^NH")
    must_be(one + two, "AE 100")
    must_be(one + patient("9990000026^^^NHS^NH"), "AE 100")
    must_be(header() + "PV1|1|E\r", "AE 100")
    must_be("BHS|^~\\&|PAS|RXH\r" + one + "BTS|1\r", "AE 100")
    must_be("FHS|^~\\&|PAS\rBHS|^~\\&|PAS\r" + one + two + "BTS|2\rFTS|1\r", "AE 100")
    must_be("BHS|^~\\&|PAS|RXH\rBTS|0\r", "unreadable")
    must_be(one + "BTS|1\r", "AE 100")
    # The first one's end was lost.
    must_be(one + "\x0b" + two, "unreadable")
    must_be(one + "\x1c" + two, "unreadable")


def acknowledgements():
    def told(charset, encoded, words="M\u00f4n \u2019\uff5c a|b^c~d\\e&f\ng"):
        message = cpis_hl7.read_message((header(control="c^1", charset=charset) + patient("9990000018^^^NHS^NH")).encode(encoded))
        ack = cpis_hl7.acknowledgement(message, "AA", cpis_hl7.segments_of({"known": True, "words": words}, "OBX"))
        lines = ack.split(b"\r")
        if lines[1] != b"MSA|AA|c^1" or len(lines) != 4 or lines[3] != b"" or not lines[0].startswith(b"MSH|^~\\&|CPIS|RXH|PAS|RXH|"):
            raise SystemExit(f"the acknowledgement: {ack}")
        if lines[0].split(b"|")[17:] != ([charset.encode()] if charset and encoded != "ascii" else []):
            raise SystemExit(f"its MSH-18: {ack}")
        return lines[2].split(b"|")[5].split(b"^", 1)[1].rsplit(b"^", 1)[0].decode(encoded)

    plain = "a\\F\\b\\S\\c\\R\\d\\E\\e\\T\\f g"
    for charset, encoded, wanted in (("", "ascii", "Mon ?? "), ("ASCII", "ascii", "Mon ?? "), ("8859/1", "latin-1", "M\u00f4n ?? "),
                                     ("UNICODE UTF-8", "utf-8", "M\u00f4n \u2019\uff5c "), ("JAS2020", "ascii", "Mon ?? "),
                                     ("8859/15~UNICODE", "iso8859-15", "M\u00f4n ?? ")):
        said = told(charset, encoded)
        if said != wanted + plain:
            raise SystemExit(f"in {charset!r}: {said!r}")
    # What is repeated are the bytes that came, whatever they are in.
    message = cpis_hl7.read_message(header(control="\u00e9\u0103").encode("utf-8").replace(b"PAS", b"\xe9\xff"))
    ack = cpis_hl7.acknowledgement(message, "AE", ["ERR|||204"])
    if b"|\xe9\xff|" not in ack or "MSA|AE|\u00e9\u0103\r".encode() not in ack:
        raise SystemExit(f"not what came: {ack}")
    # In other separators than ours what came is no more than text.
    message = cpis_hl7.read_message(b"MSH#^~\\&#P|S#RXH#CPIS#RXH###ADT^A04#c|1#P#2.4\r")
    if b"|P\\F\\S|" not in cpis_hl7.acknowledgement(message, "AE", []) or b"MSA|AE|c\\F\\1\r" not in cpis_hl7.acknowledgement(message, "AE", []):
        raise SystemExit("other separators")


def by_alerts():
    for known, wanted in ((True, ["AL1|1|MA|CPIS^w^L|SV"]), (False, []), (None, ["ERR|||0^^HL70357|W||||w"])):
        said = cpis_hl7.segments_of({"known": known, "words": "w"}, "AL1")
        if said != wanted:
            raise SystemExit(f"AL1 of {known}: {said}")


def hostile():
    """Nothing but what is foreseen comes of anything, and soon: in time that grows with the length alone."""
    numbers = random.Random(20261127)
    good = (header(charset="8859/1") + patient("H1^^^RXH^MR~9990000018^^^NHS&1&ISO^NH") + "PV1|1|E\r").encode()
    for _ in range(ROUNDS):
        text = bytearray(good)
        for _ in range(numbers.randrange(1, 6)):
            at = numbers.randrange(len(text))
            text[at:at + numbers.randrange(3)] = numbers.choice([b"|", b"^", b"~", b"&", b"\\", b"\r", b"MSH", b"\rMSH|", b"\xff", b"9", b""])
        said = outcome(bytes(text))
        message = None
        try:
            message = cpis_hl7.read_message(bytes(text))
        except Unreadable:
            pass
        if message is not None:
            ack = cpis_hl7.acknowledgement(message, "AA", ["OBX|1"])
            if ack.count(b"\r") != 3 or b"\rMSA|AA|" not in ack or b"\x1c" in ack:
                raise SystemExit(f"{bytes(text)!r}: {said}: {ack!r}")
    for filler in ("~", "^", "|", "&", "\r", "PID\r", "9990000018^^^NHS^NH~"):
        outcome(header() + patient(filler * (65000 // len(filler))))


for check in (identifiers, headers, several_in_one, acknowledgements, by_alerts, hostile):
    check()
print(f"{looked_at} messages")
