// Messages of cpis.proto in their canonical encoding (proto/README.md). Fields have the names of cpis.proto.
import protobuf from "protobufjs";

import { CpisError, ProtocolError } from "./errors";

/** A message's fields; enums are numbers, uint64 are Long, bytes are Buffer. In what is sent, also as protobuf's JSON mapping has them. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Fields = Record<string, any>;

export interface Receipt extends Fields {
  index: Uint64;
  salt: Buffer;
  record: Buffer;
  path: Buffer[];
  checkpoint: string;
  growth: Buffer[];
}

export interface Reply extends Fields {
  protocol_version: number;
  request_id: Buffer;
  outcome: number;
  reason_code: string;
  reason: string;
  retry_after_ms: number;
  session_token: Buffer;
  receipt: Receipt | null;
}

interface Uint64 {
  toNumber(): number;
  isZero(): boolean;
  toString(): string;
}

const NEWER_FIELDS_MAX = 16;
const FIELD_NUMBER_MAX = 536870911; // protobuf's own

/** The types of cpis.proto. */
export class Messages {
  private readonly root: protobuf.Root;
  readonly Request: protobuf.Type;
  readonly Reply: protobuf.Type;
  readonly AuditRecord: protobuf.Type;
  readonly SessionStatement: protobuf.Type;
  readonly Outcome: protobuf.Enum;

  constructor(protoFile: string) {
    this.root = new protobuf.Root().loadSync(protoFile, { keepCase: true });
    this.Request = this.root.lookupType("cpis.v1.Request");
    this.Reply = this.root.lookupType("cpis.v1.Reply");
    this.AuditRecord = this.root.lookupType("cpis.v1.AuditRecord");
    this.SessionStatement = this.root.lookupType("cpis.v1.SessionStatement");
    this.Outcome = this.root.lookupEnum("cpis.v1.Outcome");
  }

  outcome(name: string): number {
    return this.Outcome.values[name] ?? -1;
  }

  enumName(type: string, value: number): string {
    return this.root.lookupEnum("cpis.v1." + type).valuesById[value] ?? "?";
  }

  /** The canonical encoding: default values are left out. */
  encode(type: protobuf.Type, fields: Fields): Buffer {
    return Buffer.from(type.encode(withoutDefaults(type, type.fromObject(fields))).finish());
  }

  /** A message that was encoded so, or `failure`. What a later version has added to a reply or record is left out. */
  decode(type: protobuf.Type, bytes: Buffer, failure: new (sentence: string) => CpisError = ProtocolError): Fields {
    try {
      const known = type === this.Reply || type === this.AuditRecord ? knownPart(type, bytes) : bytes;
      const message = type.decode(known);
      const again = Buffer.from(type.encode(withoutDefaults(type, type.fromObject(type.toObject(message)))).finish());
      if (again.equals(known) && isClean(type, message)) return message;
    } catch {
      // Below.
    }
    throw new failure(`a ${type.name} is not well-formed; report it to who runs the broker`);
  }

  /** Bodies are numbered in the order of the operations. */
  operationOf(request: Fields): number {
    return this.Request.fields[bodyOf(this.Request, request)]!.id - 15;
  }

  requestBody(request: Fields): string {
    return bodyOf(this.Request, request);
  }

  replyBody(reply: Fields): string {
    return bodyOf(this.Reply, reply);
  }
}

function bodyOf(type: protobuf.Type, fields: Fields): string {
  return type.oneofs["body"]!.oneof.find((name) => Object.hasOwn(fields, name) && fields[name] != null) ?? "";
}

/** The number, and where it ends; an error unless it is in its shortest form and has 64 bits at most. Past 53 bits it is near enough. */
function readVarint(bytes: Buffer, begin: number): [number, number] {
  let value = 0;
  for (let at = begin; at < bytes.length && at < begin + 10; at++) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * 2 ** (7 * (at - begin));
    if (byte >= 0x80) continue;
    if ((at > begin && byte === 0) || (at === begin + 9 && byte > 1)) break;
    return [value, at + 1];
  }
  throw new Error("a varint that is cut short, too long or too large");
}

function varint(value: number): Buffer {
  const out: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) out.push((value % 128) | 0x80);
  return Buffer.of(...out, value);
}

/** The bytes without fields of a later version, at every depth. These have numbers greater than all that are known of their message, and
 *  are at most 16 of it; an error otherwise. */
function knownPart(type: protobuf.Type, bytes: Buffer): Buffer {
  const greatest = Math.max(0, ...type.fieldsArray.map((field) => field.id));
  const kept: Buffer[] = [];
  for (let at = 0, last = 0, newer = 0; at < bytes.length; ) {
    const begin = at;
    const [tag, valueAt] = readVarint(bytes, at);
    const number = Math.floor(tag / 8);
    const form = tag % 8;
    const [size, next] = readVarint(bytes, valueAt);
    at = form === 2 ? next + size : next;
    if ((form !== 0 && form !== 2) || at > bytes.length || number < last)
      throw new Error("cut short, out of order, or of a wire type that is not used");
    last = number;
    const field = type.fieldsById[number]?.resolve();
    if (field === undefined) {
      if (number <= greatest || number > FIELD_NUMBER_MAX || ++newer > NEWER_FIELDS_MAX) throw new Error("an unknown field");
    } else if (form === 2 && field.resolvedType instanceof protobuf.Type) {
      const inner = knownPart(field.resolvedType, bytes.subarray(next, at));
      kept.push(varint(tag), varint(inner.length), inner);
    } else {
      kept.push(bytes.subarray(begin, at));
    }
  }
  return Buffer.concat(kept);
}

function isDefault(field: protobuf.Field, value: unknown): boolean {
  if (field.resolvedType instanceof protobuf.Type) return value == null;
  if (typeof value === "object" && value !== null && "isZero" in value) return (value as Uint64).isZero();
  if (value instanceof Uint8Array) return value.length === 0;
  return value == null || value === 0 || value === false || value === "";
}

// In place, all the way down.
function withoutDefaults(type: protobuf.Type, message: Fields): protobuf.Message {
  for (const field of type.fieldsArray) {
    field.resolve();
    if (!Object.hasOwn(message, field.name)) continue;
    const value: unknown = message[field.name];
    if (field.resolvedType instanceof protobuf.Type)
      for (const inner of field.repeated ? (value as Fields[]) : [value as Fields]) if (inner != null) withoutDefaults(field.resolvedType, inner);
    if (!field.repeated && field.partOf == null && isDefault(field, value)) delete message[field.name];
  }
  return message as protobuf.Message;
}

// One member of a oneof, known values of enums, and text without control characters; a checkpoint alone has newlines.
function isClean(type: protobuf.Type, message: Fields): boolean {
  const isTold = (name: string): boolean => Object.hasOwn(message, name) && message[name] != null;
  if (type.oneofsArray.some((oneof) => oneof.oneof.filter(isTold).length > 1)) return false;
  return type.fieldsArray.every((field) => {
    if (!isTold(field.name)) return true;
    const values: unknown[] = field.repeated ? message[field.name] : [message[field.name]];
    return values.every((value) => {
      if (field.resolvedType instanceof protobuf.Type) return isClean(field.resolvedType, value as Fields);
      if (field.resolvedType instanceof protobuf.Enum) return (value as number) in field.resolvedType.valuesById;
      return typeof value !== "string" || !hasControls(field.name === "checkpoint" ? value.replaceAll("\n", "") : value);
    });
  });
}

// What would let text lie about itself: controls, marks of direction, line separators, U+FEFF, non-characters.
function hasControls(text: string): boolean {
  return /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Noncharacter_Code_Point}/u.test(text);
}
