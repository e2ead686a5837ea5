"""What HL7 v2 messages say, and what is said back: no network, no broker, no clock but that of an acknowledgement's MSH-7.

ADT^A01, A04 and A28 are asked about, by the NHS number in PID-3. What is wrong with a message is a Problem, and becomes AE or AR and an ERR
segment; what has no header to answer to is Unreadable.
"""
import re
import unicodedata
from datetime import datetime, timezone

import hl7

import cpis

EVENTS = ("A01", "A04", "A28")
# HL7 table 0357.
SEGMENT_SEQUENCE, REQUIRED_MISSING, WRONG_TYPE, UNKNOWN_KIND, UNKNOWN_PROCESSING, UNKNOWN_VERSION, UNKNOWN_KEY, INTERNAL = \
    "100", "101", "102", "200", "202", "203", "204", "207"
NHS_NUMBER_OID = "2.16.840.1.113883.2.1.4.1"
# HL7 table 0211, those in which ASCII is ASCII.
CHARSETS = {"UNICODE UTF-8": "utf-8", **{f"8859/{n}": f"iso8859-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)}}


class Problem(Exception):
    """What the sender is told: AE, its message is wrong, or AR, it can be sent again (or never belongs here); ERR-3, and words."""

    def __init__(self, ack, code, words):
        super().__init__(words)
        self.ack, self.code = ack, code


class Unreadable(Exception):
    """A message that has no header to answer to. Says nothing of what is in it."""


def read_message(block):
    """The message of a block; Unreadable. Byte for character, so that what is repeated in the acknowledgement is what came."""
    text = block.decode("latin-1").replace("\r\n", "\r")
    # Separators of blocks too: two messages of which the first one's end was lost are not one.
    if re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", text):
        raise Unreadable("control characters")
    try:
        message = hl7.parse(text)
        message.segment("MSH")
        return message
    except (hl7.HL7Exception, LookupError, ValueError, AssertionError) as error:
        raise Unreadable(type(error).__name__) from error


def field(segment, number):
    """As it stands there, "" when it does not."""
    return str(segment[number]) if number < len(segment) else ""


def part(text, separator, number):
    """The number'th, from 1."""
    parts = text.split(separator, number)
    return parts[number - 1] if number <= len(parts) else ""


def only_segment(message, name):
    found = [segment for segment in message if str(segment[0]) == name]
    if len(found) != 1:
        raise Problem("AE", SEGMENT_SEQUENCE, f"no {name} segment" if not found else f"more than one {name} segment: send each message by itself")
    return found[0]


def nhs_number(message):
    """The number in PID-3, "" when there is none; Problem when it is none, or there are two. What the NHS has assigned goes before what
    only says that it is such a number."""
    assigned, said = set(), set()
    for identifier in field(only_segment(message, "PID"), 3).split("~"):
        number, authority, kind = (part(identifier, "^", place) for place in (1, 4, 5))
        number = re.sub(r"[ -]", "", part(number, "&", 1))
        # HL7's "" says that there is none.
        if number in ("", '""'):
            continue
        if part(authority, "&", 1).upper() == "NHS" or part(authority, "&", 2) == NHS_NUMBER_OID:
            assigned.add(number)
        elif kind.upper() in ("NH", "NHS"):
            said.add(number)
    found = assigned or said
    if len(found) > 1:
        raise Problem("AE", UNKNOWN_KEY, "PID-3 has more than one NHS number")
    for number in found:
        if not cpis.is_nhs_number(number):
            raise Problem("AE", UNKNOWN_KEY, "PID-3 has an NHS number that is none: look at its digits")
        return number
    return ""


def charset_of(message):
    """Of MSH-18, as Python has it; ASCII when it says nothing or another one."""
    return CHARSETS.get(part(field(message.segment("MSH"), 18), "~", 1).strip().upper(), "ascii")


def in_charset(text, charset):
    """Byte for character. What the other side cannot have goes without its accent, or is a question mark: not NFKD, which makes separators
    of what only looks like them."""
    encoded = b""
    for character in text:
        try:
            encoded += character.encode(charset)
        except UnicodeEncodeError:
            encoded += unicodedata.normalize("NFD", character)[0].encode(charset, "replace")
    return encoded.decode("latin-1")


def clean(text):
    """No separator, no line end: what others wrote stays text."""
    table = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\"}
    return "".join(table.get(c, c if c.isprintable() else " ") for c in text[:200])


def segments_of(answer, kind):
    """What the answer is as segments of the acknowledgement."""
    known = answer.get("known")
    if kind == "AL1" and known is None:
        # No allergy says "not known", and nothing at all would be read as a no.
        return [f"ERR|||0^^HL70357|W||||{clean(answer['words'])}"]
    if kind == "AL1":
        return [f"AL1|1|MA|CPIS^{clean(answer['words'])}^L|SV"] if known else []
    lines = [f"OBX|1|CE|CPIS-FLAG^Known to children's social care^L||{'Y' if known else 'N' if known is False else 'U'}^{clean(answer['words'])}^L||||||F"]
    for plan in answer.get("plans", []):
        for code, what, value in (("CPIS-PLAN", "Plan", plan["type"]), ("CPIS-AUTHORITY", "Authority", plan["authority"]),
                                  ("CPIS-RING-NOW", "Ring now", plan["ring_now"]), ("CPIS-EDT", "Emergency duty team", plan["emergency_duty"]),
                                  ("CPIS-OFFICE", "In office hours", plan["office_hours"])):
            if value:
                lines.append(f"OBX|{len(lines) + 1}|ST|{code}^{what}^L||{clean(value)}||||||F")
    return lines


def error_segment(problem):
    return f"ERR|||{problem.code}^^HL70357|E||||{clean(str(problem))}"


def acknowledgement(message, code, lines):
    """Its bytes: HL7 2.5.1, 2.9.2."""
    header = message.segment("MSH")
    charset = charset_of(message)
    # In other separators than ours what came is no more than text.
    told = str if has_our_separators(header) else clean
    application, facility, from_application, from_facility, event, control, processing, version = (
        told(text) for text in (field(header, 5), field(header, 6), field(header, 3), field(header, 4), part(field(header, 9), "^", 2),
                                field(header, 10), field(header, 11), field(header, 12)))
    now = datetime.now(timezone.utc).strftime("%Y%m%d%H%M%S")
    first = ["MSH", "^~\\&", application, facility, from_application, from_facility, now, "", f"ACK^{event}^ACK",
             hl7.generate_message_control_id(), processing, version]
    if charset != "ascii":
        first += [""] * 5 + [field(header, 18)]
    text = "\r".join(["|".join(first), f"MSA|{code}|{control}", *(in_charset(line, charset) for line in lines)]) + "\r"
    return text.encode("latin-1")


def has_our_separators(header):
    return field(header, 1) == "|" and field(header, 2) in ("^~\\&", "^~\\&#")


def is_asked_about(message):
    """Whether it is asked about. Problem where the header is not that of a message which can be answered: HL7 2.5.1, 2.9.2.2."""
    header = message.segment("MSH")
    kind, event = (part(field(header, 9), "^", place) for place in (1, 2))
    if not has_our_separators(header):
        raise Problem("AE", WRONG_TYPE, "MSH-1 and MSH-2 have to be |^~\\&")
    if any(str(segment[0]) in ("FHS", "BHS", "BTS", "FTS") for segment in message):
        raise Problem("AE", SEGMENT_SEQUENCE, "a batch: send each message by itself")
    only_segment(message, "MSH")
    if field(header, 10) == "":
        raise Problem("AE", REQUIRED_MISSING, "MSH-10 is empty")
    if kind == "" or (kind == "ADT" and event == ""):
        raise Problem("AR", UNKNOWN_KIND, "MSH-9 does not say what it is")
    if kind != "ADT" or event not in EVENTS:
        return False
    if part(field(header, 11), "^", 1) not in ("P", ""):
        raise Problem("AR", UNKNOWN_PROCESSING, "MSH-11 is not P: about people of training and tests nobody is asked")
    if not re.fullmatch(r"(2(\.\d+)*)?", part(field(header, 12), "^", 1)):
        raise Problem("AR", UNKNOWN_VERSION, "MSH-12 is not a version 2")
    return True
