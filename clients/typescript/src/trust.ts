// Who a certificate says somebody is, by the trust bundle: certs/README.md has the profile and what is checked.
import { createPublicKey, KeyObject, verify } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { bits, Element, elements, first, oid, sequence, TAG, time } from "./der";
import { CertificateError, UsageError } from "./errors";
import { Checkpoint, NO_CHECKPOINT, Verifier } from "./log";

export type Kind = "broker" | "system" | "staff";

export interface Identity {
  name: string;
  /** ODS code of a system, UID of a member of staff. */
  other: string;
  /** The 32 bytes: X25519 of systems and brokers, Ed25519 of staff. */
  publicKey: Buffer;
  der: Buffer;
}

interface Certificate {
  der: Buffer;
  tbs: Buffer;
  signature: Buffer;
  serial: string;
  issuer: Buffer;
  subject: Element;
  notBefore: number;
  notAfter: number;
  spki: Buffer;
  extensions: { oid: string; critical: boolean; value: Buffer }[];
}

interface Authority {
  certificate: Certificate;
  key: KeyObject;
  list: RevocationList;
}

interface RevocationList {
  issuer: Buffer;
  tbs: Buffer;
  signature: Buffer;
  thisUpdate: number;
  nextUpdate: number;
  revoked: Set<string>;
  isWhole: boolean;
}

type Generation = Record<"root" | "systems" | "staff", Authority>;
type Fault = { code: string; sentence: string } | null;

const ARC = "2.25.185455635316991931809667461232443724531.";
const NAME = oid("2.5.4.3");
const SUBJECT_KEY = oid("2.5.29.14");
const USAGE = oid("2.5.29.15");
const ALTERNATIVES = oid("2.5.29.17");
const CONSTRAINTS = oid("2.5.29.19");
const AUTHORITY_KEY = oid("2.5.29.35");
const PURPOSE = oid("2.5.29.37");
const PROFILE_CRITICAL = [CONSTRAINTS, USAGE, PURPOSE, ALTERNATIVES];
const X25519_SPKI = "302a300506032b656e032100";
const ED25519_SPKI = "302a300506032b6570032100";
const KINDS = {
  broker: { authority: "systems", purpose: oid(ARC + "2"), spki: X25519_SPKI, usage: "03020308", attribute: "" },
  system: { authority: "systems", purpose: oid(ARC + "1"), spki: X25519_SPKI, usage: "03020308", attribute: oid("2.5.4.97") },
  staff: { authority: "staff", purpose: oid(ARC + "3"), spki: ED25519_SPKI, usage: "03020780", attribute: oid("0.9.2342.19200300.100.1.1") },
} as const;

export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}

/** DER out of PEM with this label, the only one in the file. */
export function fromPem(text: string, label: string, place: string): Buffer {
  const match = new RegExp(`^-----BEGIN ${label}-----\\n([A-Za-z0-9+/=\\n]+)-----END ${label}-----\\n$`).exec(text);
  if (match === null) throw new UsageError(`${place}: not a ${label.toLowerCase()} in PEM`);
  return Buffer.from(match[1]!, "base64");
}

function splitSigned(der: Buffer): { body: Element; signature: Buffer } {
  const whole = first(der);
  const [body, , signature, ...rest] = sequence(whole);
  if (body === undefined || rest.length > 0 || whole.whole.length !== der.length) throw new RangeError("not signed");
  return { body, signature: bits(signature) };
}

function readExtensions(list: Element[]): Certificate["extensions"] {
  return list.map((extension) => {
    const [id, ...rest] = sequence(extension);
    return { oid: id!.value.toString("hex"), critical: rest.length === 2 && rest[0]!.value[0] === 0xff, value: rest.at(-1)!.value };
  });
}

function parseCertificate(der: Buffer): Certificate {
  const { body, signature } = splitSigned(der);
  const [version, serial, , issuer, validity, subject, spki, ...rest] = sequence(body);
  const [notBefore, notAfter] = sequence(validity);
  const extensions = rest.find((element) => element.tag === 0xa3);
  if (version?.tag !== 0xa0 || extensions === undefined) throw new RangeError("not version 3");
  return {
    der, tbs: body.whole, signature, serial: serial!.value.toString("hex"), issuer: issuer!.whole, subject: subject!,
    notBefore: time(notBefore), notAfter: time(notAfter), spki: spki!.whole, extensions: readExtensions(sequence(first(extensions.value))),
  };
}

function parseList(der: Buffer): RevocationList {
  const { body, signature } = splitSigned(der);
  const [, , issuer, thisUpdate, nextUpdate, ...rest] = sequence(body);
  const entries = rest.find((element) => element.tag === TAG.SEQUENCE);
  const extensions = rest.find((element) => element.tag === 0xa0);
  return {
    issuer: issuer!.whole, tbs: body.whole, signature, thisUpdate: time(thisUpdate), nextUpdate: time(nextUpdate),
    revoked: new Set(entries === undefined ? [] : sequence(entries).map((entry) => sequence(entry)[0]!.value.toString("hex"))),
    isWhole: extensions === undefined || readExtensions(sequence(first(extensions.value))).every((extension) => !extension.critical),
  };
}

function isSignedBy(signed: { issuer: Buffer; tbs: Buffer; signature: Buffer }, authority: { certificate: Certificate; key: KeyObject }): boolean {
  return signed.issuer.equals(authority.certificate.subject.whole) && verify(null, signed.tbs, authority.key, signed.signature);
}

function loadGeneration(directory: string): Generation {
  const generation: Partial<Generation> = {};
  for (const [name, file, constraints] of [["root", "root", "30060101ff020101"], ["systems", "systems-ca", "30060101ff020100"],
                                           ["staff", "staff-ca", "30060101ff020100"]] as const) {
    const place = join(directory, file + ".pem");
    const listPlace = join(directory, name + ".crl.pem");
    try {
      const certificate = parseCertificate(fromPem(readText(place), "CERTIFICATE", place));
      const key = createPublicKey({ key: certificate.spki, format: "der", type: "spki" });
      const list = parseList(fromPem(readText(listPlace), "X509 CRL", listPlace));
      const authority = (generation[name] = { certificate, key, list });
      const limits = certificate.extensions.find((extension) => extension.oid === CONSTRAINTS);
      if (limits?.critical !== true || limits.value.toString("hex") !== constraints || !isSignedBy(certificate, generation.root!) ||
          !isSignedBy(list, authority) || !list.isWhole)
        throw new RangeError("not signed by its authority, or not a whole list");
    } catch (error) {
      throw new CertificateError(`${place}: ${(error as Error).message}; copy the trust bundle again`, "MALFORMED");
    }
  }
  return generation as Generation;
}

/** A trust bundle: three authorities with their lists, and while they are changed, three more in next/. */
export class Trust {
  readonly log: Verifier;
  readonly previous: Verifier | null = null;
  readonly succeeded: Checkpoint = NO_CHECKPOINT;
  private readonly generations: Generation[];

  constructor(directory: string) {
    this.generations = [loadGeneration(directory)];
    if (existsSync(join(directory, "next"))) this.generations.push(loadGeneration(join(directory, "next")));
    this.log = new Verifier(readText(join(directory, "log.vkey")));
    if (existsSync(join(directory, "log.previous"))) {
      this.previous = new Verifier(readText(join(directory, "log.previous")));
      if (existsSync(join(directory, "log.succeeded"))) this.succeeded = this.previous.open(readText(join(directory, "log.succeeded")));
    }
  }

  /** Who the certificate is of; CertificateError when it does not hold at `now` (ms). */
  check(kind: Kind, der: Buffer, place: string, now = Date.now()): Identity {
    let fault: Fault = null;
    for (const generation of this.generations) {
      const [found, identity] = checkIn(generation, kind, der, now);
      if (identity !== null) return identity;
      fault ??= found;
    }
    throw new CertificateError(`${place}: ${fault!.sentence}; ask the registration authority for another, or for newer lists`, fault!.code);
  }

  checkFile(kind: Kind, path: string): Identity {
    return this.check(kind, fromPem(readText(path), "CERTIFICATE", path), path);
  }
}

function checkIn(generation: Generation, kind: Kind, der: Buffer, now: number): [Fault, Identity | null] {
  try {
    const certificate = parseCertificate(der);
    const fault = chainFault(generation, kind, certificate, now) ?? profileFault(kind, certificate);
    if (fault !== null) return [fault, null];
    const subject = subjectOf(certificate);
    const other = subject.get(KINDS[kind].attribute) ?? "";
    return [null, { name: subject.get(NAME)!, other, publicKey: certificate.spki.subarray(-32), der }];
  } catch {
    return [{ code: "MALFORMED", sentence: "not a well-formed certificate" }, null];
  }
}

function chainFault(generation: Generation, kind: Kind, certificate: Certificate, now: number): Fault {
  const authority = generation[KINDS[kind].authority];
  const chain: [Certificate, Authority | null][] = [[certificate, authority], [authority.certificate, generation.root],
                                                    [generation.root.certificate, null]];
  for (const [one, issuer] of chain) {
    if (issuer !== null && !isSignedBy(one, issuer)) return { code: "CHAIN", sentence: "not issued by the right authority" };
    if (now < one.notBefore) return { code: "NOT_YET_VALID", sentence: "not valid yet" };
    if (now >= one.notAfter) return { code: "EXPIRED", sentence: "expired" };
    if (issuer !== null && (now < issuer.list.thisUpdate || now >= issuer.list.nextUpdate))
      return { code: "CRL", sentence: "its authority's revocation list is out of date" };
    if (issuer?.list.revoked.has(one.serial)) return { code: "REVOKED", sentence: "revoked" };
  }
  return null;
}

function subjectOf(certificate: Certificate): Map<string, string> {
  const attributes = elements(certificate.subject.value).flatMap((set) => elements(set.value)).map((attribute) => {
    const [id, value] = sequence(attribute);
    return [id!.value.toString("hex"), value!.value.toString("utf8")] as const;
  });
  const subject = new Map(attributes);
  return subject.size === attributes.length ? subject : new Map();
}

function uriOf(kind: Kind, name: string, other: string): string {
  const escaped = encodeURIComponent(name).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
  return kind === "staff" ? `urn:cpis:staff:${other}` : kind === "broker" ? `urn:cpis:broker:${escaped}` : `urn:cpis:system:${other}:${escaped}`;
}

function profileFault(kind: Kind, certificate: Certificate): Fault {
  const profile = (sentence: string): Fault => ({ code: "PROFILE", sentence });
  const { attribute, purpose, spki, usage } = KINDS[kind];
  const values = new Map(certificate.extensions.map((extension) => [extension.oid, extension.value]));
  const critical = certificate.extensions.filter((extension) => extension.critical).map((extension) => extension.oid);
  const hex = (id: string): string => values.get(id)?.toString("hex") ?? "";
  const purposes = values.has(PURPOSE) ? sequence(first(values.get(PURPOSE)!)).map((one) => one.value.toString("hex")) : [];
  if (!purposes.includes(purpose)) return { code: "PURPOSE", sentence: "it is for another use" };
  if (purposes.length !== 1 || values.size !== certificate.extensions.length || critical.some((id) => !PROFILE_CRITICAL.includes(id)))
    return profile("it has more than one use, an extension twice, or a critical one outside the profile");
  const subject = subjectOf(certificate);
  if (subject.size !== (attribute === "" ? 1 : 2) || !subject.has(NAME) || (attribute !== "" && !subject.has(attribute)))
    return profile("its subject is not of the profile");
  const [uri, ...behind] = values.has(ALTERNATIVES) ? sequence(first(values.get(ALTERNATIVES)!)) : [];
  if (uri?.tag !== 0x86 || uri.value.toString("latin1") !== uriOf(kind, subject.get(NAME)!, subject.get(attribute) ?? "") ||
      (behind.length > 0 && !(kind === "system" && behind.length === 1 && behind[0]!.tag === 0x82)))
    return profile("its alternative name is not the one that goes with its subject");
  if (hex(CONSTRAINTS) !== "3000" || hex(USAGE) !== usage || !critical.includes(CONSTRAINTS) || !critical.includes(USAGE) ||
      !values.has(SUBJECT_KEY) || !values.has(AUTHORITY_KEY) || certificate.spki.length !== 44 ||
      !certificate.spki.toString("hex").startsWith(spki))
    return profile("its key, key usage, constraints or key identifiers are not of the profile");
  return null;
}
