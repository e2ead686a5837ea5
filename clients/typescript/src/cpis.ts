// A client of the cpis broker, by proto/README.md: for record systems that run on node. clients/README.md shows its use.
import { createPrivateKey, createPublicKey, KeyObject, randomBytes, sign } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as pauseFor } from "node:timers/promises";
import { Dealer } from "zeromq";

import { CertificateError, CpisError, NoAnswerError, NotAdmittedError, ProtocolError, UsageError } from "./errors";
import { judgeForm, judgeReceipt, Parties } from "./log";
import { Memory } from "./memory";
import { Fields, Messages, Reply } from "./messages";
import { Identity, readText, Trust } from "./trust";

export * from "./errors";
export { Fields, Messages, Receipt, Reply } from "./messages";

const MESSAGE_BYTES_MAX = 65503;
const SILENCE_MS = 2000;
const PAUSE_MS_MAX = 2000;
const WITHOUT_TOKEN = ["ping", "session_open", "audit_consistency", "checkpoint_exchange"];
const NOT_SIGNED = ["deadline_ms", "session_token", "act_signature", "act_browser_proof", "log_size", "trace_id", "trace_parent_id"];
const BACKOFF_SPAN_MS_MAX = 5000;
const Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** The broker said no, on record; `reply` has outcome, reason_code and reason. */
export class RefusedError extends CpisError {
  constructor(readonly reply: Reply, readonly outcome: string) {
    super(`${outcome} ${reply.reason} (${reply.reason_code})`);
  }
}

export interface Options {
  endpoint: string;
  brokerName: string;
  brokerCertificate: string;
  trustDirectory: string;
  systemCertificate: string;
  systemKey: string;
  /** Of one process at a time. */
  checkpointFile?: string;
  /** cpis.proto; beside the package when not given. */
  protoFile?: string;
}

/** `sign`: as an act, by the session's person. `requestId`: that of a call that had no answer, with the same body. */
export interface CallOptions {
  deadlineMs?: number;
  sign?: boolean;
  requestId?: Buffer;
}

/** What is signed of a statement's bytes: proto/README.md, "Opening a session". */
export function sessionText(statement: Buffer): Buffer {
  return Buffer.concat([Buffer.from("cpis-session-v1\n"), statement]);
}

/** What is signed of an act: "Signed acts" there. */
export function actText(messages: Messages, request: Fields, brokerName: string): Buffer {
  const bare = Object.fromEntries(Object.entries(request).filter(([name]) => !NOT_SIGNED.includes(name)));
  return Buffer.concat([Buffer.from(`cpis-act-v1\n${brokerName}\n`), messages.encode(messages.Request, bare)]);
}

// The broker's own figure is the least. What is added by chance may be as much, and twice as much each further time: all who were turned
// away together do not come back together.
function backoffMs(retryAfterMs: number, times: number): number {
  return retryAfterMs + Math.random() * Math.min(BACKOFF_SPAN_MS_MAX, retryAfterMs * 2 ** Math.min(times, 16));
}

function z85(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4)
    for (let value = bytes.readUInt32BE(at), power = 85 ** 4; power >= 1; power /= 85) text += Z85[Math.floor(value / power) % 85];
  return text;
}

function loadKey(path: string, type: string): KeyObject {
  const text = readText(path);
  if ((statSync(path).mode & 0o077) !== 0) throw new UsageError(`${path}: the key file can be read or written by others: chmod 600`);
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    throw new UsageError(`${path}: not a private key in PEM`);
  }
  if (key.asymmetricKeyType !== type) throw new UsageError(`${path}: the key is not of the type this use needs`);
  return key;
}

/** The 32 bytes of a private X25519 key (PKCS#8, RFC 8410). */
export function rawSecret(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "pkcs8" }).subarray(-32);
}

function mustBelong(key: KeyObject, identity: Identity, keyFile: string, certificateFile: string): void {
  if (!createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32).equals(identity.publicKey))
    throw new UsageError(`${keyFile}: the private key does not belong to ${certificateFile}`);
}

/** A connection to one broker; one call at a time. */
export class Client {
  readonly messages: Messages;
  readonly parties: Parties;
  private readonly trust: Trust;
  private readonly broker: Identity;
  private readonly system: Identity;
  private readonly systemKey: KeyObject;
  private staffKey: KeyObject | null = null;
  private token: Buffer = Buffer.alloc(0);
  private readonly memory: Memory;
  private socket: Dealer | null = null;
  private broken = false;
  private refused = false;

  constructor(private readonly options: Options) {
    this.messages = new Messages(options.protoFile ?? join(__dirname, "..", "..", "cpis.proto"));
    this.trust = new Trust(options.trustDirectory);
    this.broker = this.trust.checkFile("broker", options.brokerCertificate);
    if (this.broker.name !== options.brokerName)
      throw new CertificateError(`${options.brokerCertificate}: it is of ${this.broker.name} and not of ${options.brokerName}; do not connect`,
                                 "NAME");
    this.system = this.trust.checkFile("system", options.systemCertificate);
    this.systemKey = loadKey(options.systemKey, "x25519");
    mustBelong(this.systemKey, this.system, options.systemKey, options.systemCertificate);
    this.parties = { organisation: this.system.other, systemName: this.system.name, brokerName: options.brokerName };
    this.memory = new Memory(this.trust, options.checkpointFile, `${this.system.name} of ${this.system.other}`);
  }

  /** Forgets the session and ends the connection. */
  close(): void {
    this.token = Buffer.alloc(0);
    this.staffKey = null;
    this.disconnect();
  }

  /** Signs in. The key stays, for signed acts, until close(). */
  async openSession(staffCertificate: string, staffKey: string, role: string, deadlineMs = 5000): Promise<Reply> {
    const person = this.trust.checkFile("staff", staffCertificate);
    this.staffKey = loadKey(staffKey, "ed25519");
    mustBelong(this.staffKey, person, staffKey, staffCertificate);
    const statement = this.messages.encode(this.messages.SessionStatement, {
      uid: person.other, role_code: role, organisation: this.system.other, channel_key: this.system.publicKey,
      broker_name: this.options.brokerName, time_ms: Date.now(), nonce: randomBytes(16),
    });
    const opening = { statement, signature: sign(null, sessionText(statement), this.staffKey), staff_certificate: person.der };
    const reply = await this.call({ session_open: opening }, { deadlineMs });
    this.token = reply["session_open"].session_token;
    return reply;
  }

  /** The proven reply to a request of one body, e.g. {flag: {nhs_number: "9990000018"}}; RefusedError when it is a no. */
  async call(body: Fields, { deadlineMs = 5000, sign: asAct = false, requestId = randomBytes(16) }: CallOptions = {}): Promise<Reply> {
    const request: Fields = this.messages.Request.fromObject({ protocol_version: 1, request_id: requestId, ...body });
    if (asAct) this.signAct(request);
    request["log_size"] = this.memory.held.size;
    if (!WITHOUT_TOKEN.includes(this.messages.requestBody(request))) request["session_token"] = this.token;
    const reply = await this.exchange(request, performance.now() + deadlineMs);
    this.judge(request, reply);
    if (reply.session_token.length > 0) this.token = reply.session_token;
    if (reply.outcome !== this.messages.outcome("OK")) throw new RefusedError(reply, this.messages.enumName("Outcome", reply.outcome));
    return reply;
  }

  private signAct(request: Fields): void {
    if (this.staffKey === null) throw new UsageError("nobody is signed in who could sign; open a session first");
    request["act_time_ms"] = Date.now();
    request["act_signature"] = sign(null, actText(this.messages, request, this.options.brokerName), this.staffKey);
  }

  // ---- one request, sent until it is answered

  private connect(): Dealer {
    if (this.socket !== null) return this.socket;
    const socket = new Dealer({
      curveServerKey: z85(this.broker.publicKey), curvePublicKey: z85(this.system.publicKey), curveSecretKey: z85(rawSecret(this.systemKey)),
      maxMessageSize: 65536, immediate: true, linger: 0, reconnectInterval: 100, reconnectMaxInterval: 2000, handshakeInterval: 5000,
      connectTimeout: 5000, heartbeatInterval: 5000, heartbeatTimeout: 15000, ipv6: true,
    });
    const lost = (): void => {
      if (this.socket !== socket) return;
      this.broken = true;
      socket.close(); // ends what waits for it
    };
    socket.events.on("disconnect", lost);
    socket.events.on("handshake:error:protocol", lost);
    socket.events.on("handshake:error:other", lost);
    socket.events.on("handshake:error:auth", (event) => {
      this.refused ||= (event.error as { status?: number }).status !== 300;
      lost();
    });
    socket.connect(this.options.endpoint);
    this.socket = socket;
    this.broken = this.refused = false;
    return socket;
  }

  private disconnect(): void {
    const socket = this.socket;
    this.socket = null;
    if (socket !== null && !socket.closed) socket.close();
  }

  private async exchange(request: Fields, end: number): Promise<Reply> {
    const body: Fields = request[this.messages.requestBody(request)];
    const silence = SILENCE_MS + Number(body["wait_ms"] ?? 0);
    for (let pause = 100, turnedAway = 0; performance.now() < end; ) {
      const reply = await this.attempt(request, Math.min(end, performance.now() + silence), end);
      if (reply !== null) {
        const later = ["SERVICE_UNAVAILABLE", "DEADLINE_EXPIRED"].includes(this.messages.enumName("Outcome", reply.outcome));
        const wait = backoffMs(reply.retry_after_ms, turnedAway++);
        if (!later || reply.retry_after_ms === 0 || performance.now() + wait >= end) return reply;
        await pauseFor(wait);
      } else if (this.broken) {
        this.disconnect();
        if (this.refused)
          throw new NotAdmittedError(
            `${this.options.endpoint}: the system ${this.system.name} of ${this.system.other} is not enrolled there, or no longer`);
        await pauseFor(Math.max(0, Math.min(pause, end - performance.now())));
        pause = Math.min(2 * pause, PAUSE_MS_MAX);
      }
    }
    throw new NoAnswerError(`${this.options.endpoint}: no answer before the deadline; try again with the same request id`);
  }

  // Sends once and waits until `until`; null when nothing came, or the connection broke.
  private async attempt(request: Fields, until: number, end: number): Promise<Reply | null> {
    const socket = this.connect();
    try {
      socket.sendTimeout = Math.max(1, Math.floor(end - performance.now()));
      const packed = this.messages.encode(this.messages.Request, { ...request, deadline_ms: Math.max(1, Math.min(60000, Math.floor(end - performance.now()))) });
      if (packed.length > MESSAGE_BYTES_MAX) throw new UsageError("the request is larger than a message may be; send it in parts");
      await socket.send(packed);
      for (let left = until - performance.now(); left > 0; left = until - performance.now()) {
        socket.receiveTimeout = Math.ceil(left);
        const frames = await socket.receive();
        const reply = this.read(frames);
        if (reply.request_id.equals(request["request_id"])) return reply;
      }
    } catch (error) {
      if (error instanceof CpisError) throw error;
      // EAGAIN: the time was over, or the socket was closed because the connection broke.
      if ((error as { code?: string }).code !== "EAGAIN" && !this.broken) throw error;
    }
    return null;
  }

  private read(frames: Buffer[]): Reply {
    if (frames.length !== 1 || frames[0]!.length > MESSAGE_BYTES_MAX)
      throw new ProtocolError("the reply is not one message; report it to who runs the broker");
    return this.messages.decode(this.messages.Reply, frames[0]!) as Reply;
  }

  // ---- what is believed

  private judge(request: Fields, reply: Reply): void {
    judgeForm(this.messages, request, reply);
    if (reply.receipt == null) return;
    const checkpoint = judgeReceipt(this.messages, this.trust.log, request, reply, this.parties, this.memory.held.size);
    if (checkpoint !== null) this.memory.take(checkpoint, reply.receipt);
  }
}
