// As much of DER (ITU-T X.690) as certificates and revocation lists need: node reads certificates, but neither lists nor the extensions
// one by one.

export interface Element {
  tag: number;
  /** The content. */
  value: Buffer;
  /** With its tag and length. */
  whole: Buffer;
}

export const TAG = { BOOLEAN: 0x01, INTEGER: 0x02, BIT_STRING: 0x03, OBJECT_IDENTIFIER: 0x06, SEQUENCE: 0x30, UTC_TIME: 0x17 } as const;

/** The elements that follow one another in `bytes`, to the last byte. */
export function elements(bytes: Buffer): Element[] {
  const list: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = first(bytes.subarray(at));
    list.push(element);
    at += element.whole.length;
  }
  return list;
}

export function first(bytes: Buffer): Element {
  const short = bytes[1];
  if (short === undefined || (bytes[0]! & 0x1f) === 0x1f || short === 0x80 || short > 0x82) throw new RangeError("not DER");
  const header = short < 0x80 ? 2 : 2 + (short & 0x7f);
  const length = short < 0x80 ? short : short === 0x81 ? bytes.readUInt8(2) : bytes.readUInt16BE(2);
  if ((short === 0x81 && length < 0x80) || (short === 0x82 && length < 0x100) || header + length > bytes.length) throw new RangeError("not DER");
  return { tag: bytes[0]!, value: bytes.subarray(header, header + length), whole: bytes.subarray(0, header + length) };
}

/** The elements within a SEQUENCE. */
export function sequence(element: Element | undefined): Element[] {
  if (element?.tag !== TAG.SEQUENCE) throw new RangeError("not a SEQUENCE");
  return elements(element.value);
}

/** The bytes of a BIT STRING of whole bytes. */
export function bits(element: Element | undefined): Buffer {
  if (element?.tag !== TAG.BIT_STRING || element.value[0] !== 0) throw new RangeError("not a BIT STRING");
  return element.value.subarray(1);
}

/** Milliseconds since 1970: UTCTime, or GeneralizedTime. */
export function time(element: Element | undefined): number {
  const text = element?.value.toString("latin1") ?? "";
  const full = element?.tag === TAG.UTC_TIME ? (Number(text.slice(0, 2)) < 50 ? "20" : "19") + text : text;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full);
  if (match === null) throw new RangeError("not a time");
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [number, number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** The content of an OBJECT IDENTIFIER in its dotted form. Its numbers may have 128 bits. */
export function oid(dotted: string): string {
  const [one, two, ...rest] = dotted.split(".").map(BigInt) as [bigint, bigint, ...bigint[]];
  const bytes = [one * 40n + two, ...rest].flatMap((arc) => {
    const digits = [Number(arc & 0x7fn)];
    for (let left = arc >> 7n; left > 0n; left >>= 7n) digits.unshift(Number(left & 0x7fn) | 0x80);
    return digits;
  });
  return Buffer.from(bytes).toString("hex");
}
