// libcpis: the C client library. Connects to a broker whose certificate it has checked, opens a session for a
// member of staff, makes calls with a deadline, repeats a call that was lost without doing it twice, and checks the
// receipt of every reply against the audit log's key.
//
// Threads. There is no global state: any number of clients, each in a thread of its own, know nothing of one another. What takes a
// client ("Thread: the client's") is used by one thread at a time; which one may change, if the one has finished before the other begins
// (a mutex, a queue). What takes none ("Thread: any") may run in any thread, also in several at once. A reply belongs to whoever
// got it and not to the client. A client is not used after fork(2): the child must neither call it nor close it. A signal
// that interrupts a wait is waited over; cpis_set_interrupt ends one. Nothing here prints or logs.
//
// Ownership. Arguments are borrowed until the function returns, where it does not say longer; what is returned as `const char *` is
// borrowed too. A reply is the caller's from CPIS_OK on, and the client's never: cpis_reply_free. `ret` arguments are written on
// success only. Times are in ms and on the caller's own monotonic clock, sizes in bytes without a terminating zero.
//
// Errors of a call: CPIS_USAGE, CPIS_REFUSED_AT_HANDSHAKE, CPIS_UNREACHABLE, CPIS_TIMEOUT, CPIS_INTERRUPTED, CPIS_PROTOCOL, CPIS_RECEIPT,
// CPIS_LOG_SHORTENED, CPIS_LOG_FORKED, CPIS_STATE, CPIS_NO_MEMORY. Each stands in the table below; what failed just now is in cpis_detail.
//
// Requests and replies are the protobuf-c messages of proto/cpis.proto (proto/cpis.pb-c.h).
#ifndef CPIS_CLIENT_H
#define CPIS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/cpis.pb-c.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CPIS_STATUS_TABLE(X)                                                                         \
	X(CPIS_OK, "done")                                                                           \
	X(CPIS_USAGE, "the library was called in a way that it does not allow")                      \
	X(CPIS_TRUST, "the trust bundle cannot be used")                                             \
	X(CPIS_BROKER_CERTIFICATE, "the broker's certificate does not hold")                         \
	X(CPIS_CREDENTIALS, "this system's or this person's certificate or key cannot be used")      \
	X(CPIS_REFUSED_AT_HANDSHAKE, "the broker does not admit this system's key")                  \
	X(CPIS_UNREACHABLE, "the broker could not be reached before the deadline")                   \
	X(CPIS_TIMEOUT, "no answer came before the deadline")                                        \
	X(CPIS_INTERRUPTED, "the caller had something else to do")                                   \
	X(CPIS_PROTOCOL, "the broker's reply is not well-formed")                                    \
	X(CPIS_RECEIPT, "the reply is not proven to be in the audit log")                            \
	X(CPIS_LOG_SHORTENED, "the audit log is shorter than it was: it has been cut or replaced")   \
	X(CPIS_LOG_FORKED, "the audit log is not a continuation of the one that was: it has been replaced") \
	X(CPIS_LOG_UNWITNESSED, "the audit log has not been cosigned by enough witnesses lately")           \
	X(CPIS_STATE, "the remembered checkpoint cannot be read or written")                         \
	X(CPIS_FILE, "the file cannot be written")                                                   \
	X(CPIS_NO_MEMORY, "out of memory")                                                           \
	X(CPIS_PENDING, "the call goes on")

enum cpis_status {
#define X(name, sentence) name,
	CPIS_STATUS_TABLE(X)
#undef X
};
// What a status means, a sentence without a full stop; of a number that is no status too. Static.
// Thread: any.
const char *cpis_status_text(enum cpis_status status);

// A further broker of the service that the options name: before the same database, so that it has the same audit log under the same
// key, and opens the sessions of the others. It is believed by its own certificate, as the first is.
struct cpis_broker {
	const char *endpoint;            // tcp://host:port
	const char *broker_name;         // must be the name in its certificate; may be that of another one
	const char *broker_certificate;  // PEM file
};
#define CPIS_FURTHER_MAX 15u

struct cpis_options {
	const char *endpoint;            // tcp://host:port
	const char *broker_name;         // must be the name in the broker's certificate
	const char *broker_certificate;  // PEM file
	const char *trust_directory;     // the trust bundle
	const char *system_certificate;  // PEM file, this system's
	const char *system_key;          // PEM file, 0600
	// Remembers the newest checkpoint seen; NULL: do not remember. Beside it, by this name and an ending: `.exchange` and
	// `.witnessed` (below), and `.evidence-...` when the log turns out to be two: both checkpoints, never overwritten.
	const char *checkpoint_file;
	// Where processes share one token, which serves one at a time: a descriptor that all of them have, open for writing. A POSIX
	// lock on it is held while a staff key is open, which is until it has signed. 0: none.
	int key_lock;
	// Borrowed until cpis_connect returns. With some, a call that one broker does not answer goes to the next.
	const struct cpis_broker *further;
	size_t further_count;            // at most CPIS_FURTHER_MAX
	// NULL, or it is CPIS_USAGE: room for what comes later, which a library that does not know it must not pass over.
	const void *reserved[4];
};

struct cpis_client;

#define CPIS_DETAIL_BYTES 640

// Checks the broker's certificate (chain, purpose, name, validity, revocation) and this system's own
// certificate and key, then makes the socket. Does not wait for the network: the first call does.
// `detail` says in words what failed. Of several brokers one whose certificate was revoked or has expired is left out.
// Errors: CPIS_USAGE, CPIS_TRUST, CPIS_BROKER_CERTIFICATE, CPIS_CREDENTIALS, CPIS_STATE, CPIS_NO_MEMORY.
// Thread: any.
__attribute__((warn_unused_result)) enum cpis_status
cpis_connect(const struct cpis_options *options, struct cpis_client **ret, char detail[CPIS_DETAIL_BYTES]);
// Closes and wipes. Accepts NULL.
// Thread: the client's.
void cpis_close(struct cpis_client *client);
// What the last failure was, in words; "" when there was none. Valid until the next call.
// Thread: the client's.
const char *cpis_detail(const struct cpis_client *client);
// The broker that answered last, or is asked first: its endpoint. Borrowed until cpis_close.
// Thread: the client's.
const char *cpis_endpoint(const struct cpis_client *client);
// The organisation (ODS code) in this system's certificate. Borrowed until cpis_close.
// Thread: the client's.
const char *cpis_system_organisation(const struct cpis_client *client);
// The name in this system's certificate. Borrowed until cpis_close.
// Thread: the client's.
const char *cpis_system_name(const struct cpis_client *client);

// One request and its reply. The caller fills the body and leaves the envelope to the library: version, request id,
// deadline and token. `deadline_ms` 1 to 60,000 is for the whole call; within it the same request id is sent again when
// the connection was lost (at most every 2 s; later where the request asks the broker to wait), so that it takes effect once.
// CPIS_OK means: a reply came, it is well-formed, it answers this request, and its receipt proves that the audit log
// has it (a SERVICE_UNAVAILABLE has no receipt and no data), and that this log begins with the one of the newest checkpoint seen.
// Its outcome may still be a refusal: look at (*ret)->outcome.
// The reply lives until cpis_reply_free.
//
// With several brokers the same request, with its id, goes to the next when one cannot be reached, does not let this system in, breaks
// off, has not answered for a short time (rotation.h: half a second at first, and less where the deadline is near), or answers
// SERVICE_UNAVAILABLE; when each has been tried, again after a while. The first answer counts, from whomever it comes; a late
// SERVICE_UNAVAILABLE or DEADLINE_EXPIRED does not. The next call begins with the broker that answered. What is signed names its broker,
// so it is signed anew where the next one has another name: the staff key may be needed then until the answer is there. An attempt
// that reached a broker has an audit record there, so one question may have several; the broker sees to it that it takes effect once.
// A reply whose proof does not hold ends the call: no other broker is asked instead.
// Errors: of a call.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status cpis_call(struct cpis_client *client, Cpis__V1__Request *request,
							       uint32_t deadline_ms, const Cpis__V1__Reply **ret);
// As cpis_call, with the signature that heavy acts need: a publication, a quarantine. Made with the staff key of the open session (a
// file, or a pkcs11: URI as in cpis_session_open). The key is used here only, and is not open while an answer is waited for.
// Errors: of a call; CPIS_CREDENTIALS.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status cpis_call_signed(struct cpis_client *client,
								      Cpis__V1__Request *request, const char *staff_key,
								      uint32_t deadline_ms, const Cpis__V1__Reply **ret);
// Frees a reply, and wipes it: it may name a child. Accepts NULL. The client may be closed by then.
// Thread: any.
void cpis_reply_free(const Cpis__V1__Reply *reply);

// The descriptor of a client in an event loop of the caller's: a call is begun, continued when this can be read, and so ends.
//	cpis_call_begin(client, &request, 1000);
//	while ((status = cpis_call_continue(client, &reply)) == CPIS_PENDING)
//		...                                // back to the loop, until cpis_fd(client) can be read
// It stands for the connections, the deadline, the times at which the request is to be sent again, and the interrupt: there is no
// timer to keep, and no trap: it is level-triggered, stays readable until cpis_call_continue was called, and is readable while a call is
// under way only, also at once when it has begun. poll, select, epoll (also EPOLLET, if each time is answered by cpis_call_continue) and
// whatever is built on them take it. The same one until cpis_close, which closes it. Not to be read, written or closed. -1: the system
// has no descriptor left.
// Thread: the client's.
int cpis_fd(struct cpis_client *client);
// Begins a call and returns. CPIS_OK: it is under way. Anything else: it is not, and nothing was sent. The request, and all that it points to, is borrowed and
// must stay as it is until the call has ended. One call of a client at a time: until it has ended all other functions that would call
// the broker, or change what the call uses, return CPIS_USAGE (false, where they return bool), and the call is none the worse for it;
// cpis_session_close and cpis_set_request_id must not be used until then.
// Signing (a file, or a token that may be slow) and the certificates' files are waited for, here and, with brokers of several names, in
// cpis_call_continue; the network never is.
// Errors: CPIS_USAGE, CPIS_NO_MEMORY.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status cpis_call_begin(struct cpis_client *client, Cpis__V1__Request *request,
								     uint32_t deadline_ms);
// Begins a signed call, see cpis_call_begin and cpis_call_signed. The key's place is copied.
// Errors: CPIS_USAGE, CPIS_CREDENTIALS, CPIS_NO_MEMORY.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status cpis_call_signed_begin(struct cpis_client *client, Cpis__V1__Request *request,
									    const char *staff_key, uint32_t deadline_ms);
// Begins to open a session, see cpis_call_begin and cpis_session_open. The texts are copied.
// Errors: CPIS_USAGE, CPIS_CREDENTIALS, CPIS_NO_MEMORY.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status
cpis_session_open_begin(struct cpis_client *client, const char *staff_certificate, const char *staff_key, const char *role_code,
			uint32_t deadline_ms);
// Goes on with the call: does what can be done now, but some dozens of messages at most, and never waits for the network (checking a
// receipt, and writing the checkpoint_file with its flush, is done here). CPIS_PENDING: the call is under way still. Anything else ends it and is as from cpis_call. May be called more often than needed.
// CPIS_USAGE when no call is under way.
// Errors: CPIS_PENDING; of a call; CPIS_CREDENTIALS.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status cpis_call_continue(struct cpis_client *client, const Cpis__V1__Reply **ret);
// Ends the call that is under way, if there is one. What became of it is not known, as after CPIS_INTERRUPTED: with the same request
// id it can be asked again.
// Thread: the client's.
void cpis_call_cancel(struct cpis_client *client);

// Sends the next call with this request id instead of a new one: a retry after a restart of the caller.
// Thread: the client's.
void cpis_set_request_id(struct cpis_client *client, const uint8_t request_id[16]);

// Says what all further calls are done for, by W3C Trace Context: the text of a `traceparent` header, as in
// "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01". It is kept in the audit records and decides nothing. NULL: nothing, as at
// first. False: it is not well formed, or a call is under way, and nothing has changed.
// Thread: the client's.
__attribute__((warn_unused_result)) bool cpis_set_trace(struct cpis_client *client, const char *traceparent);

// While a call waits, this descriptor is looked at too: when it can be read, the call ends with CPIS_INTERRUPTED, and what became
// of it is not known. Not read here. -1: none, as at first.
// Thread: the client's.
void cpis_set_interrupt(struct cpis_client *client, int fd);

// Opens a session: makes and signs the statement, keeps the token for the calls that follow. The reply is as
// from cpis_call; a refusal leaves the client without a session. The key is used here only. The session holds at all brokers.
// Errors: of a call; CPIS_CREDENTIALS.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status
cpis_session_open(struct cpis_client *client, const char *staff_certificate, const char *staff_key, const char *role_code,
		  uint32_t deadline_ms, const Cpis__V1__Reply **ret);
// The same for who brings an OpenID Connect identity token that was issued for this very system (text, a compact JWS): the broker checks
// it. `role_code` "": the one role that the token has at this organisation. `caller_...`: as in Request; "": none. Acts cannot be signed
// in such a session. The token is not kept.
// Errors: of a call; CPIS_USAGE, CPIS_NO_MEMORY.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status
cpis_session_open_token(struct cpis_client *client, const char *token, const char *role_code, const char *caller_request_id,
			const char *caller_correlation_id, uint32_t deadline_ms, const Cpis__V1__Reply **ret);
// Forgets the token. What was sealed into it lives on at the broker until it is idle for too long.
// Thread: the client's.
void cpis_session_close(struct cpis_client *client);
// Signs out (SESSION_CLOSE): what there is of the session's tokens, here or elsewhere, opens nothing any more, at any broker of the store.
// The token is forgotten when the broker has answered, also that there is no such session; after a SERVICE_UNAVAILABLE or without an
// answer it is kept, so that this can be asked again.
// Errors: of a call.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status cpis_session_end(struct cpis_client *client, uint32_t deadline_ms,
								       const Cpis__V1__Reply **ret);

#define CPIS_TOKEN_BYTES_MAX 1024u
// Sets the token that the next calls carry, copied; `bytes` 0 to CPIS_TOKEN_BYTES_MAX. For who serves many people through one client,
// one call at a time, as a web gateway does. A renewed one comes in a reply's session_token. False: too long, or a call is under way.
// Thread: the client's.
__attribute__((warn_unused_result)) bool cpis_set_session_token(struct cpis_client *client, const uint8_t *token, size_t bytes);

#define CPIS_CHALLENGE_BYTES 32u
#define CPIS_STATEMENT_BYTES_MAX 1024u
// Makes the statement of a session with this role at this system's organisation, to be proven in a browser. Whose it is, the proof
// will say. `ret_statement` has room for CPIS_STATEMENT_BYTES_MAX.
//
// What a browser proves (proto/cpis.proto, BrowserProof), it proves in two steps, between which it makes the proof of the challenge.
// Both name the broker that is asked first: only brokers of that name can be asked with it, and when none of them answers,
// another statement or act is made for the next.
// Errors: CPIS_USAGE, CPIS_NO_MEMORY.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status cpis_session_statement(struct cpis_client *client, const char *role_code,
									     uint8_t *ret_statement, size_t *ret_bytes,
									     uint8_t ret_challenge[CPIS_CHALLENGE_BYTES]);
// Opens a session as cpis_session_open does, with a browser's proof of the statement. `certificate` is the person's, in DER.
// Errors: of a call.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status
cpis_session_open_proven(struct cpis_client *client, const uint8_t *statement, size_t statement_bytes, const uint8_t *certificate,
			 size_t certificate_bytes, const Cpis__V1__BrowserProof *proof, uint32_t deadline_ms, const Cpis__V1__Reply **ret);
// Makes a request whose body is filled in ready to be proven by a browser. It gets an id, which is borrowed from the client until its next call or
// act, and a time, from which it is good for a minute. Packed it can be kept meanwhile. It is the broker that says which acts need
// a proof.
// Errors: CPIS_USAGE, CPIS_NO_MEMORY.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status cpis_act_prepare(struct cpis_client *client, Cpis__V1__Request *request,
								       uint8_t ret_challenge[CPIS_CHALLENGE_BYTES]);
// The name of the broker that such a request was prepared for, until the next call. Borrowed.
// Thread: the client's.
const char *cpis_broker_name(const struct cpis_client *client);
// As cpis_call_signed, of a request that was prepared for this broker, here or by another client of the same system, with the session
// token that is set.
// Errors: of a call.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status cpis_call_proven(struct cpis_client *client, Cpis__V1__Request *request,
								       const char *broker_name, const Cpis__V1__BrowserProof *proof,
								       uint32_t deadline_ms, const Cpis__V1__Reply **ret);

// Adds a record to what is signed of a file of plans (cpis.proto, PublicationCommitRequest.content_sha256): begin with 32 zero bytes and add
// each record, as it is sent, in order. False: out of memory.
// Thread: any.
__attribute__((warn_unused_result)) bool cpis_publication_add(uint8_t digest[32], const Cpis__V1__PlanRecord *record);
// Makes a publication's id, the same for the same file, so that it goes on where it stopped in another process, too.
// Thread: the client's.
void cpis_publication_id(const struct cpis_client *client, const uint8_t digest[32],
			 const Cpis__V1__PublicationOpenRequest *open, uint8_t ret[16]);

// Connects to enrol a new system (proto/cpis.proto, "enrolment"): it has a key and no certificate yet, and the one-time code that a
// registrar gave to its operator. `options` as for cpis_connect, with the enrolment endpoint and without `system_certificate`.
// On such a client nothing but cpis_enrol is answered.
// Errors: CPIS_USAGE, CPIS_TRUST, CPIS_BROKER_CERTIFICATE, CPIS_CREDENTIALS, CPIS_STATE, CPIS_NO_MEMORY.
// Thread: any.
__attribute__((warn_unused_result)) enum cpis_status
cpis_connect_enrolling(const struct cpis_options *options, struct cpis_client **ret, char detail[CPIS_DETAIL_BYTES]);
#define CPIS_FINGERPRINT_BYTES 25
// The fingerprint of this system's key, to be read to the registrar: "3f2a-91c0-7d11-0b5e-c442". Made here, so that no broker
// can say another one.
// Thread: the client's.
__attribute__((warn_unused_result)) bool cpis_fingerprint(const struct cpis_client *client,
							  char out[CPIS_FINGERPRINT_BYTES]);
// A new one-time code, for the registrar who invites: the code goes to the system's operator, its hash to the broker.
// Thread: any.
__attribute__((warn_unused_result)) bool cpis_make_code(uint8_t ret_code[16], uint8_t ret_sha256[32]);
// Shows the one-time code; again asks how it stands. As from cpis_call. With ISSUED the certificate in the reply has been checked: it
// holds by the trust bundle, and it is of this key, organisation and name. Otherwise CPIS_CREDENTIALS.
// Errors: of a call; CPIS_CREDENTIALS.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status
cpis_enrol(struct cpis_client *client, const uint8_t code[16], const char *organisation, const char *system_name,
	   uint32_t deadline_ms, const Cpis__V1__Reply **ret);
// Writes the certificate of such a reply as a PEM file, whole or not at all. An existing file is not overwritten.
// Errors: CPIS_USAGE, CPIS_FILE.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status cpis_save_certificate(struct cpis_client *client,
									   const Cpis__V1__Reply *reply, const char *path);

// Registers a responder, which answers questions beside the broker's own register (proto/cpis.proto, "responders"). It opens a session,
// registers for what the broker's register gives to its organisation, and then takes and answers, one after the other:
//	cpis_responder_register(client, "responder.key", CPIS__V1__RESPONDER_KIND__PLANS, "9995000000", "9995999999", 5000, &reply)
//	for (;;) {
//		cpis_responder_take(client, 40000, 50000, &reply);        // reply->responder_take->work may be NULL
//		cpis_responder_answer(client, reply->responder_take->work, &answer, 5000, &other);
//	}
// All three are as cpis_call. The outcome INVALID_REQUEST_STATE ("responder_not_registered") says that the broker has forgotten
// the registration, or another took its place: register again. The session ends after 12 hours: open another, and register.
//
// Questions come from the broker that a responder has registered at: with several, a client for each (CPIS_USAGE).
// Needs the staff key, because registering is a signed act. The key that answers are signed with is made here, for this client,
// and never leaves it. `range_first` and `range_last` are those of the broker's register, and NULL for DEMOGRAPHICS.
// Errors: of a call; CPIS_CREDENTIALS.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status
cpis_responder_register(struct cpis_client *client, const char *staff_key, Cpis__V1__ResponderKind kind, const char *range_first,
			const char *range_last, uint32_t deadline_ms, const Cpis__V1__Reply **ret);
// Waits for work, `wait_ms` at the longest, less than `deadline_ms`. After CPIS_INTERRUPTED the next take goes on with this one.
// Errors: of a call.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status
cpis_responder_take(struct cpis_client *client, uint32_t wait_ms, uint32_t deadline_ms, const Cpis__V1__Reply **ret);
// Answers a question, signed with the responder's key. `work` as it came; the answer's work_id is filled in. What an answer may say stands at ResponderAnswer in proto/cpis.proto: one
// that the broker does not believe is refused (answer_invalid), and whoever asked is told that nobody answered.
// Errors: of a call.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status
cpis_responder_answer(struct cpis_client *client, const Cpis__V1__ResponderWork *work, const Cpis__V1__ResponderAnswer *answer,
		      uint32_t deadline_ms, const Cpis__V1__Reply **ret);

// Whether `proof` shows its record to be in the audit log: for the proofs that replies carry in their bodies
// (AuditShowReply.proof); a reply's own receipt has been checked by cpis_call.
// Errors: CPIS_RECEIPT.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status cpis_check_proof(struct cpis_client *client,
								      const Cpis__V1__Receipt *proof);
// Whether `proof` shows its record to be in the audit log, without a client, a certificate of one's own and a network: for who keeps
// receipts, or is shown some. `trust_directory` is a trust bundle, of which log.vkey alone is read: a receipt of a log before this
// one is not of this log. That a record is in the log says neither that it is of this question, nor what the question was: compare
// the record's request_id with the one that was asked with. `detail` says why it is not CPIS_OK.
// Errors: CPIS_USAGE, CPIS_TRUST, CPIS_RECEIPT, CPIS_NO_MEMORY.
// Thread: any.
__attribute__((warn_unused_result)) enum cpis_status cpis_verify_proof(const char *trust_directory, const Cpis__V1__Receipt *proof,
								       char detail[CPIS_DETAIL_BYTES]);

// The newest checkpoint that this client has verified, as a signed note; "" before the first reply. Borrowed until the next call.
// Thread: the client's.
const char *cpis_checkpoint(const struct cpis_client *client);

// Exchanges checkpoints: hands in the newest checkpoint (or `note`, which is of the same log: a witness's, with its cosignature; NULL: the
// newest), is given what other systems were shown, and finds out whether all of it is of one log: one of the same size has the
// same root, and for each of another size the broker proves that the one is the beginning of the other (AUDIT_CONSISTENCY, a call
// for each that is new; `deadline_ms` is for all of it). A larger one than this client holds, or one without a proof, is not of
// this log: CPIS_LOG_FORKED, with what to do in cpis_detail; both notes are kept beside checkpoint_file, and nothing is taken
// over. CPIS_OK and `ret_compared` false: the broker does not know the operation, refused, or could not answer now
// (cpis_detail); nothing was compared to the end, and it is due again in five minutes, as after CPIS_TIMEOUT. Needs no session.
// What a broker leaves out is not seen (broker/README.md).
// Errors: of a call.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status
cpis_exchange_checkpoints(struct cpis_client *client, const char *note, uint32_t deadline_ms, bool *ret_compared);
// Whether this client has a checkpoint_file, holds a checkpoint, and has not exchanged it for an hour, nor tried to for five
// minutes. Long-running clients ask this now and then.
// Thread: the client's.
bool cpis_exchange_is_due(const struct cpis_client *client);
// What the broker asks its witnesses to cosign: a signed note, after an exchange, and proven to be of this log; "": nothing.
// Borrowed until the next exchange.
// Thread: the client's.
const char *cpis_checkpoint_to_cosign(const struct cpis_client *client);
// The newest checkpoint that the trust bundle's quorum has cosigned, which is remembered; "": none. Borrowed until the next exchange.
// Thread: the client's.
const char *cpis_witnessed_checkpoint(const struct cpis_client *client);
// Whether the witnessed checkpoint is at most `age_max_s` old, by the witnesses' own clocks; exchanges first when the remembered
// one is not. CPIS_LOG_UNWITNESSED when the broker has none either; CPIS_USAGE when the trust bundle has no log.policy that asks
// for witnesses. Before the first question, where that is wanted: what is asked later is not held back.
// Errors: CPIS_LOG_UNWITNESSED; of a call.
// Thread: the client's.
__attribute__((warn_unused_result)) enum cpis_status cpis_require_witnessed(struct cpis_client *client, uint64_t age_max_s,
									    uint32_t deadline_ms);

#ifdef __cplusplus
}
#endif

#endif
