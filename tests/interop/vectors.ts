// All vectors, by the TypeScript client; and what they say of inclusion and checkpoints also by @sigstore/verify, which is not ours.
import { createPrivateKey, KeyObject, sign } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { actText, CertificateError, Fields, LogForkedError, LogShortenedError, Messages, ProofError, ProtocolError, rawSecret, Receipt, Reply,
         sessionText } from "../src/cpis";
import { Checkpoint, grown, heldOfPrevious, included, isNhsNumber, judgeForm, judgeGrowth, judgeInclusion, judgeReceipt, NO_CHECKPOINT,
         Parties, Verifier } from "../src/log";
import { Memory } from "../src/memory";
import { Trust } from "../src/trust";
import { sigstoreSays } from "./sigstore";

const failures: string[] = [];
let checked = 0;
let messages: Messages;

function check(holds: boolean, what: string): void {
  checked++;
  if (!holds) failures.push(what);
}

function unhex(text: string): Buffer {
  return Buffer.from(text, "hex");
}

function holds(call: () => void): boolean {
  try {
    call();
    return true;
  } catch {
    return false;
  }
}

function nhsNumbers(vectors: Fields): void {
  for (const one of vectors["cases"]) check(isNhsNumber(one.text) === one.valid, `NHS number ${JSON.stringify(one.text)}`);
}

function texts(vectors: Fields): void {
  for (const one of vectors["cases"])
    check(holds(() => messages.decode(messages.SessionStatement, unhex(one.statement))) === one.good, `text: ${one.statement}`);
}

function curveKeys(vectors: Fields): void {
  for (const one of vectors["cases"]) check(rawSecret(createPrivateKey(one.key_file)).toString("hex") === one.secret_key, "secret key out of a key file");
}

function brokerCertificates(vectors: Fields): void {
  const trusts = new Map<string, Trust>();
  for (const [name, files] of Object.entries(vectors["bundles"] as Fields)) {
    const directory = mkdtempSync(join(tmpdir(), "cpis-vectors-"));
    for (const [file, text] of Object.entries(files as Record<string, string>)) writeFileSync(join(directory, file), text);
    trusts.set(name, new Trust(directory));
    rmSync(directory, { recursive: true });
  }
  for (const one of vectors["cases"]) {
    let verdict: string;
    try {
      const identity = trusts.get(one.bundle)!.check("broker", unhex(one.certificate), "vector", one.time_ms);
      verdict = identity.name === one.broker_name ? "OK" : "NAME";
      check(verdict !== "OK" || identity.publicKey.toString("hex") === one.curve_key, "its key");
    } catch (error) {
      verdict = (error as CertificateError).code;
    }
    check(verdict === one.verdict, `broker's certificate: ${one.name}: ${verdict}, not ${one.verdict}`);
  }
}

function sessions(vectors: Fields): KeyObject {
  const key = createPrivateKey(vectors["staff_key"]);
  for (const one of vectors["cases"]) {
    const fields = { ...one.fields, channel_key: unhex(one.fields.channel_key), nonce: unhex(one.fields.nonce) };
    const text = sessionText(messages.encode(messages.SessionStatement, fields));
    check(text.toString("hex") === one.signed, "what is signed of a statement");
    check(sign(null, text, key).toString("hex") === one.signature, "a statement's signature");
  }
  return key;
}

function acts(vectors: Fields, key: KeyObject): void {
  for (const one of vectors["cases"]) {
    const request = messages.decode(messages.Request, unhex(one.request));
    const text = actText(messages, request, one.broker_name);
    check(text.toString("hex") === one.signed, "what is signed of an act");
    check(sign(null, text, key).toString("hex") === one.signature && request["act_signature"].toString("hex") === one.signature,
          "an act's signature");
  }
}

function partiesOf(vectors: Fields): Parties {
  return { organisation: vectors["organisation"], systemName: vectors["system_name"], brokerName: vectors["broker_name"] };
}

function operations(vectors: Fields): void {
  const log = new Verifier(vectors["vkey"]);
  let held = NO_CHECKPOINT;
  for (const { request: asked, reply: told } of vectors["exchanges"]) {
    const request = messages.decode(messages.Request, unhex(asked.bytes));
    const reply = messages.decode(messages.Reply, unhex(told.bytes)) as Reply;
    const body = messages.requestBody(request);
    const made = { ...request, ...(body === "session_open" ? {} : asked.body) };
    check(messages.encode(messages.Request, made).toString("hex") === asked.bytes, `${body}: request`);
    check(messages.encode(messages.Reply, { ...reply, ...told.body }).toString("hex") === told.bytes, `${body}: reply`);
    judgeForm(messages, request, reply);
    const checkpoint = judgeReceipt(messages, log, request, reply, partiesOf(vectors), held.size)!;
    judgeGrowth(held, checkpoint, reply.receipt!.growth);
    held = checkpoint;
    check(sigstoreSays(log, reply.receipt!), `${body}: sigstore's verdict of the receipt`);
  }
  for (const one of vectors["not_well_formed"]) check(!holds(() => messages.decode(messages.Request, unhex(one.request))), one.name);
}

function altered(vectors: Fields): void {
  for (const one of vectors["cases"]) {
    const type = one.type === "Request" ? messages.Request : messages.Reply;
    check(holds(() => messages.decode(type, unhex(one.bytes))) === one.good, `altered ${one.type}: ${one.bytes}`);
  }
}

function newer(vectors: Fields): void {
  const types: Record<string, Messages["Reply"]> = {
    Request: messages.Request, Reply: messages.Reply, AuditRecord: messages.AuditRecord, SessionStatement: messages.SessionStatement,
  };
  for (const one of vectors["cases"])
    check(holds(() => messages.decode(types[one.type]!, unhex(one.bytes))) === one.good, `newer fields: ${one.name}`);
}

/** What a client that holds this says of the reply, and what it holds then. */
function verdict(log: Verifier, held: Checkpoint, one: Fields, parties: Parties): [string, number] {
  const request = messages.decode(messages.Request, unhex(one["request"]));
  try {
    const reply = messages.decode(messages.Reply, unhex(one["reply"])) as Reply;
    judgeForm(messages, request, reply);
    if (reply.receipt == null) return ["ok", held.size];
    const checkpoint = judgeReceipt(messages, log, request, reply, parties, held.size);
    if (checkpoint !== null) judgeGrowth(held, checkpoint, reply.receipt.growth);
    return ["ok", (checkpoint ?? held).size];
  } catch (error) {
    if (error instanceof ProtocolError) return ["not well-formed", held.size];
    if (error instanceof LogShortenedError) return ["log shortened", held.size];
    if (error instanceof LogForkedError) return ["log forked", held.size];
    if (error instanceof ProofError) return ["not proven", held.size];
    throw error;
  }
}

function checkVerdict(log: Verifier, held: Checkpoint, one: Fields, parties: Parties, what: string): void {
  const [said, size] = verdict(log, held, one, parties);
  check(said === one["verdict"] && size === one["size_held_after"], `${what}: ${one["name"]}: ${said}, not ${one["verdict"]}`);
}

function receipts(vectors: Fields): void {
  const log = new Verifier(vectors["vkey"]);
  for (const one of vectors["cases"]) {
    checkVerdict(log, one.held === "" ? NO_CHECKPOINT : log.open(one.held), one, partiesOf(vectors), "receipt");
    const { receipt } = messages.Reply.decode(unhex(one.reply)) as unknown as Reply;
    if (receipt != null)
      check(sigstoreSays(log, receipt) === holds(() => judgeInclusion(log, receipt)), `sigstore's verdict of the receipt: ${one.name}`);
  }
}

function successions(vectors: Fields): void {
  const previous = new Verifier(vectors["log.previous"]);
  const succeeded = previous.open(vectors["log.succeeded"]);
  for (const one of vectors["cases"]) {
    const held = heldOfPrevious(previous.open(one.held), succeeded);
    check(held.size === one.log_size, `succession: ${one.name}: log_size`);
    const log = new Verifier(vectors["vkey"]);
    checkVerdict(log, held, one, partiesOf(vectors), "succession");
    rememberOverASuccession({ log, previous, succeeded } as unknown as Trust, one);
  }
}

// The file of the log before is put aside when this one's first checkpoint takes its place.
function rememberOverASuccession(trust: Trust, one: Fields): void {
  const directory = mkdtempSync(join(tmpdir(), "cpis-vectors-"));
  const path = join(directory, "checkpoint");
  writeFileSync(path, one["held"]);
  const receipt = (messages.decode(messages.Reply, unhex(one["reply"])) as Reply).receipt!;
  const memory = new Memory(trust, path, "ed-record-system of RXH");
  const taken = holds(() => memory.take(trust.log.open(receipt.checkpoint), receipt));
  const names = readdirSync(directory);
  const kept = readFileSync(path, "utf8");
  if (one["verdict"] === "ok")
    check(taken && kept === receipt.checkpoint && names.includes(`checkpoint.previous-${one["held"].split("\n")[1]}`), `remembered: ${one["name"]}`);
  else
    check(!taken && kept === one["held"] && names.some((name) => name.startsWith("checkpoint.evidence-")), `evidence: ${one["name"]}`);
  rmSync(directory, { recursive: true });
  if (one["verdict"] !== "ok") aForkIsToldWhenItCannotBeKept(trust, one, receipt);
}

function aForkIsToldWhenItCannotBeKept(trust: Trust, one: Fields, receipt: Receipt): void {
  const directory = mkdtempSync(join(tmpdir(), "cpis-vectors-"));
  const path = join(directory, "checkpoint");
  writeFileSync(path, one["held"]);
  const memory = new Memory(trust, path, "ed-record-system of RXH");
  rmSync(directory, { recursive: true });
  let said = "";
  try {
    memory.take(trust.log.open(receipt.checkpoint), receipt);
  } catch (error) {
    if (error instanceof LogForkedError) said = error.message;
  }
  check(said.includes(one["held"]) && said.includes(receipt.checkpoint), `evidence in words: ${one["name"]}`);
}

function proofs(vectors: Fields): void {
  for (const one of vectors["inclusion"])
    check(included(unhex(one.leaf), one.index, one.size, one.path.map(unhex), unhex(one.root)) === one.holds, `inclusion of ${one.index} in ${one.size}`);
  for (const one of vectors["consistency"])
    check(grown({ size: one.old_size, root: unhex(one.old_root) }, { size: one.size, root: unhex(one.root) }, one.proof.map(unhex)) === one.holds,
          `consistency of ${one.old_size} with ${one.size}`);
}

function checkpoints(vectors: Fields): void {
  const log = new Verifier(vectors["vkey"]);
  for (const one of vectors["cases"]) {
    check(holds(() => log.open(one.note)) === one.holds, `checkpoint: ${one.name}`);
    check(!one.holds || (log.open(one.note).size === one.size && log.open(one.note).root.toString("hex") === one.root), "its size and root");
  }
}

export function runVectors(directory: string, protoFile: string): number {
  const load = (name: string): Fields => JSON.parse(readFileSync(join(directory, name + ".json"), "utf8"));
  messages = new Messages(protoFile);
  nhsNumbers(load("nhs_numbers"));
  texts(load("texts"));
  curveKeys(load("curve_keys"));
  brokerCertificates(load("broker_certificates"));
  acts(load("acts"), sessions(load("sessions")));
  operations(load("operations"));
  altered(load("altered"));
  newer(load("newer"));
  receipts(load("receipts"));
  successions(load("successions"));
  proofs(load("proofs"));
  checkpoints(load("checkpoints"));
  for (const failure of failures) console.log(`vectors: ${failure}`);
  console.log(`${checked} vectors, ${failures.length} failures`);
  return failures.length === 0 ? 0 : 1;
}
