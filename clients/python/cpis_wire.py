"""The canonical form of messages: proto/README.md, "Canonical encoding" and "Versions"."""
import re

from google.protobuf.message import DecodeError

import cpis_pb2 as pb
from cpis_errors import ProtocolError

# What a broker makes, which may be of a later version than this program.
MAY_BE_NEWER = (pb.Reply, pb.AuditRecord)
NEWER_FIELDS_MAX = 16
FIELD_NUMBER_MAX = 536870911  # protobuf's own
# What would let text lie about itself: controls, marks of direction, line separators, U+FEFF, non-characters.
CONTROLS = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff\\ufdd0-\\ufdef" +
                      "".join(rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(17)) + "]")


def strict(kind, data, error=ProtocolError):
    """A message in canonical form. What a later version has added stays in it, and is not looked at."""
    try:
        known = known_part(kind.DESCRIPTOR, data) if kind in MAY_BE_NEWER else data
        message = kind.FromString(known)
        message.DiscardUnknownFields()
        if message.SerializeToString(deterministic=True) == known and is_clean(message):
            return message if known == data else kind.FromString(data)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        pass
    raise error(f"a {kind.DESCRIPTOR.name} is not well-formed; report it to who runs the broker")


def known_part(descriptor, data):
    """The bytes without fields of a later version, at every depth. These have numbers greater than all that are known of their message,
    and are at most 16 of it; DecodeError. Not by the library's UnknownFields: its implementations differ in what they keep."""
    fields = descriptor.fields_by_number
    greatest, last, newer, at = max(fields, default=0), 0, 0, 0
    kept = bytearray()
    while at < len(data):
        begin = at
        tag, value = read_varint(data, at)
        number, form = tag >> 3, tag & 7
        size, at = read_varint(data, value)
        if form == 2:
            value, at = at, at + size
        if form not in (0, 2) or at > len(data) or number < last:
            raise DecodeError("cut short, out of order, or of a wire type that is not used")
        last, field = number, fields.get(number)
        if field is None:
            newer += 1
            if not greatest < number <= FIELD_NUMBER_MAX or newer > NEWER_FIELDS_MAX:
                raise DecodeError("an unknown field")
        elif form == 2 and field.message_type:
            inner = known_part(field.message_type, data[value:at])
            kept += varint(tag) + varint(len(inner)) + inner
        else:
            kept += data[begin:at]
    return bytes(kept)


def read_varint(data, at):
    """The number, and where it ends; DecodeError unless it is in its shortest form and has 64 bits at most."""
    value = 0
    for place, byte in enumerate(data[at:at + 10]):
        value |= (byte & 0x7f) << 7 * place
        if byte < 0x80:
            if value >> 64 or place and not byte:
                break
            return value, at + place + 1
    raise DecodeError("a varint that is cut short, too long or too large")


def varint(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return out


def is_clean(message):
    for field, value in message.ListFields():
        for one in value if field.label == field.LABEL_REPEATED else [value]:
            if field.message_type and not is_clean(one):
                return False
            if field.enum_type and one not in field.enum_type.values_by_number:
                return False
            if field.type == field.TYPE_STRING and CONTROLS.search(one.replace("\n", "") if field.name == "checkpoint" else one):
                return False
    return True
