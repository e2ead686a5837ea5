// What can go wrong: each error says what was wrong, where, and what to do.

export class CpisError extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = new.target.name;
  }
}

/** A file or value of ours cannot be used; nothing was sent. */
export class UsageError extends CpisError {}

/** A certificate does not hold by the trust bundle; `code` is a word for it, as in certs/certs_status.h. */
export class CertificateError extends CpisError {
  constructor(sentence: string, readonly code: string) {
    super(sentence);
  }
}

/** The broker does not let this system's key in. */
export class NotAdmittedError extends CpisError {}

/** No answer came before the deadline; the request may have been carried out. Call again with the same request id. */
export class NoAnswerError extends CpisError {}

/** The broker's reply is not well-formed. */
export class ProtocolError extends CpisError {}

/** The reply is not proven to be in the audit log: do not show it. */
export class ProofError extends CpisError {}

/** The remembered checkpoint cannot be read or written; what was asked may have been done. */
export class StateError extends CpisError {}

/** The log is not a continuation of the one that was remembered: keep the checkpoint file, and report it. */
export class LogForkedError extends ProofError {}

/** The log has fewer records than it had. */
export class LogShortenedError extends LogForkedError {}
