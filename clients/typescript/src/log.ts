// Proofs from the audit log: proto/README.md, "Receipts".
import { createHash, createPublicKey, verify } from "node:crypto";

import { LogForkedError, LogShortenedError, ProofError, ProtocolError, UsageError } from "./errors";
import { Fields, Messages, Receipt, Reply } from "./messages";

export interface Checkpoint {
  size: number;
  root: Buffer;
}

export const NO_CHECKPOINT: Checkpoint = { size: 0, root: Buffer.alloc(0) };

/** Who asks whom. */
export interface Parties {
  organisation: string;
  systemName: string;
  brokerName: string;
}

const ED25519_SPKI = Buffer.from("302a300506032b6570032100", "hex");
const NODE = Buffer.of(1);
const CHECKPOINT_BYTES_MAX = 4608;

export function sha256(...parts: Buffer[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

// Halving without the 32 bits of JavaScript's shifts.
function half(n: number): number {
  return Math.floor(n / 2);
}

/** RFC 9162, 2.1.3.2. */
export function included(leaf: Buffer, index: number, size: number, path: Buffer[], root: Buffer): boolean {
  if (!Number.isSafeInteger(size) || index >= size) return false;
  let fn = index;
  let sn = size - 1;
  let node = leaf;
  for (const sibling of path) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      node = sha256(NODE, sibling, node);
      for (; fn % 2 === 0 && fn !== 0; fn = half(fn)) sn = half(sn);
    } else {
      node = sha256(NODE, node, sibling);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && node.equals(root);
}

function isPowerOfTwo(n: number): boolean {
  while (n > 1 && n % 2 === 0) n = half(n);
  return n === 1;
}

/** RFC 9162, 2.1.4.2; a tree is the beginning of itself. */
export function grown(old: Checkpoint, now: Checkpoint, proof: Buffer[]): boolean {
  if (old.size === now.size || old.size === 0 || old.size > now.size)
    return old.size === now.size && proof.length === 0 && old.root.equals(now.root);
  if (proof.length === 0 || !Number.isSafeInteger(now.size)) return false;
  const [first, ...rest] = isPowerOfTwo(old.size) ? [old.root, ...proof] : proof;
  let fr = first!;
  let sr = first!;
  let fn = old.size - 1;
  let sn = now.size - 1;
  for (; fn % 2 === 1; fn = half(fn)) sn = half(sn);
  for (const node of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = sha256(NODE, node, fr);
      sr = sha256(NODE, node, sr);
      for (; fn % 2 === 0 && fn !== 0; fn = half(fn)) sn = half(sn);
    } else {
      sr = sha256(NODE, sr, node);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && fr.equals(old.root) && sr.equals(now.root);
}

// The text must be what encoding the result gives again.
function base64(text: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw new ProofError("not base64");
  return bytes;
}

/** A log's verifier key, as in log.vkey. */
export class Verifier {
  readonly origin: string;
  readonly id: Buffer;
  readonly publicKey;

  constructor(line: string) {
    const [, origin, id, blob] = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\n?$/.exec(line) ?? [];
    const key = Buffer.from(blob ?? "", "base64"); // its id says whether it is the one that was meant
    this.origin = origin ?? "";
    this.id = sha256(Buffer.from(this.origin + "\n"), key).subarray(0, 4);
    if (key.length !== 33 || key[0] !== 1 || this.id.toString("hex") !== id)
      throw new UsageError("log.vkey: not an Ed25519 verifier key; copy the trust bundle again");
    this.publicKey = createPublicKey({ key: Buffer.concat([ED25519_SPKI, key.subarray(1)]), format: "der", type: "spki" });
  }

  /** Size and root of a checkpoint that this log's key signed; ProofError. */
  open(note: string): Checkpoint {
    const [, text, origin, size, root, lines] = /^(([^\n]+)\n(0|[1-9]\d{0,18})\n([^\n]+)\n)\n((?:\u2014 [^ \n]+ [^ \n]+\n)+)$/.exec(note) ?? [];
    const own = (lines ?? "").split("\n").slice(0, -1).filter((line) => this.isOwn(line));
    const good =
      text !== undefined && origin === this.origin && own.length > 0 && Buffer.byteLength(note) <= CHECKPOINT_BYTES_MAX &&
      own.every((line) => verify(null, Buffer.from(text), this.publicKey, this.blobOf(line).subarray(4)));
    const hash = good ? base64(root!) : Buffer.alloc(0);
    if (hash.length !== 32) throw new ProofError("the checkpoint was not signed by this audit log");
    return { size: Number(size), root: hash };
  }

  private blobOf(line: string): Buffer {
    return base64(line.split(" ")[2]!);
  }

  private isOwn(line: string): boolean {
    const blob = this.blobOf(line);
    return line.split(" ")[1] === this.origin && blob.subarray(0, 4).equals(this.id);
  }
}

/** What a client remembers of the log before: the successor begins with that, or what is beyond is lost and proves nothing. */
export function heldOfPrevious(held: Checkpoint, succeeded: Checkpoint): Checkpoint {
  return held.size <= succeeded.size ? held : NO_CHECKPOINT;
}

/** Whether `now` is the log that `held` was. */
export function judgeGrowth(held: Checkpoint, now: Checkpoint, growth: Buffer[]): void {
  if (now.size < held.size)
    throw new LogShortenedError(`the log has ${now.size} records and had ${held.size}`);
  if (held.size > 0 && !grown(held, now, now.size > held.size ? growth : []))
    throw new LogForkedError(`the log of ${now.size} records does not begin with the ${held.size} that it had`);
}

/** The checkpoint that the receipt's record leads to. */
export function judgeInclusion(log: Verifier, receipt: Receipt): Checkpoint {
  const checkpoint = log.open(receipt.checkpoint);
  const leaf = sha256(Buffer.of(0), sha256(receipt.salt, receipt.record));
  if (receipt.salt.length !== 16 || [...receipt.path, ...receipt.growth].some((node) => node.length !== 32) ||
      !included(leaf, receipt.index.toNumber(), checkpoint.size, receipt.path, checkpoint.root))
    throw new ProofError("the record is not proven to be in the audit log; do not show the reply, and report it");
  return checkpoint;
}

/** The checkpoint that has to have grown from what is held, and is then remembered; null where none is to be. */
export function judgeReceipt(messages: Messages, log: Verifier, request: Fields, reply: Reply, parties: Parties, heldSize: number): Checkpoint | null {
  const receipt = reply.receipt!;
  const checkpoint = judgeInclusion(log, receipt);
  const record = messages.decode(messages.AuditRecord, receipt.record, ProofError);
  const unread = record["operation"] === 0 && record["outcome"] !== messages.outcome("OK");
  const nobody = record["organisation"] === "" && record["system_name"] === "" && record["outcome"] === messages.outcome("ASID_CHECK_FAILED");
  const asked = unread || record["operation"] === messages.operationOf(request);
  const own = nobody || (record["organisation"] === parties.organisation && record["system_name"] === parties.systemName);
  if (record["version"] !== 1 || record["index"].toString() !== receipt.index.toString() || !asked || !own ||
      !Buffer.from(record["request_id"]).equals(request["request_id"]) || record["outcome"] !== reply.outcome ||
      record["reason_code"] !== reply.reason_code || record["broker_name"] !== parties.brokerName)
    throw new ProofError("the audit record speaks of something else; do not show the reply, and report it");
  // Of a request that could not be read the broker does not know what its asker holds, so there is no growth to a larger one.
  return unread && checkpoint.size > heldSize ? null : checkpoint;
}

/** The reply is one to this request: its body, and a receipt unless nothing could be recorded. */
export function judgeForm(messages: Messages, request: Fields, reply: Reply): void {
  const wanted = reply.outcome === messages.outcome("OK") ? messages.requestBody(request) : "";
  if (reply.protocol_version !== 1 || messages.replyBody(reply) !== wanted ||
      (reply.receipt == null && reply.outcome !== messages.outcome("SERVICE_UNAVAILABLE")))
    throw new ProtocolError("the reply is not one to this request, or has no receipt; report it to who runs the broker");
}

/** Ten digits with the right check digit, as on the wire. */
export function isNhsNumber(text: string): boolean {
  if (!/^\d{10}$/.test(text) || /^(\d)\1*$/.test(text)) return false;
  const sum = [...text.slice(0, 9)].reduce((total, digit, place) => total + Number(digit) * (10 - place), 0);
  return (11 - (sum % 11)) % 11 === Number(text[9]);
}
