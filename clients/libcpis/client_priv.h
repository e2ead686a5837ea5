// A client's inside, shared by the library's files.
#ifndef CPIS_CLIENT_PRIV_H
#define CPIS_CLIENT_PRIV_H

#include "certs/cosignature.h"
#include "certs/identity.h"
#include "certs/note.h"
#include "clients/libcpis/cpis.h"
#include "proto/arena.h"
#include "proto/wire.h"

#define CLIENT_PATH_BYTES 4096

// A broker of the service, and the connection to it.
struct client_link {
	char endpoint[256];
	struct broker_identity broker;
	void *socket;
	void *monitor;
	bool open;                       // connected, or being tried
	bool connected;                  // a handshake has succeeded, and the connection has not ended since: something may be sent
	bool lost;                       // the connection broke, was refused or could not be made, and no other has been made since
	bool failed;                     // the same, since the call turned to it
	bool refused;                    // since the call began: at the handshake
	bool wrong_key_seen;             // since the call began: a handshake that failed without a refusal
	bool watched;                    // by the caller's event loop
};

// What a caller's event loop waits for (watch.c).
struct client_watch {
	bool open;
	int epoll;                       // the caller's descriptor: readable when one of the following is
	int timer;
	int interrupt;                   // in it; -1: none
};

struct cpis_client {
	struct client_link links[CPIS_FURTHER_MAX + 1];
	size_t link_count;
	size_t at;                       // who answered last: the next call begins there
	char checkpoint_file[CLIENT_PATH_BYTES]; // "": do not remember
	int key_lock;                    // 0: none
	struct trust *trust;
	struct note_verifier log;        // of the audit log
	struct note_verifier previous;   // of the log whose successor that is; all zero: of none
	struct checkpoint succeeded;     // with which the successor begins; size 0: the bundle does not say
	struct system_identity system;   // this one; of a system that enrols the key only
	bool enrolling;                  // on the enrolment endpoint, with a key that has no certificate yet
	void *context;
	uint8_t token[SESSION_TOKEN_BYTES_MAX];
	size_t token_bytes;              // 0: no session
	struct checkpoint newest;        // size 0: none yet
	char newest_note[NOTE_BYTES_MAX + 1];
	struct witness_policy witnesses; // of the trust bundle
	uint64_t exchanged_ms;           // when checkpoints were last exchanged; 0: never, or a fork was found
	bool exchange_failed;            // the last one of this client came to nothing
	uint64_t exchange_after;         // where the next exchange goes on
	char to_cosign_note[NOTE_BYTES_MAX + 1]; // of the last exchange; "": none
	char witnessed_note[NOTE_BYTES_MAX + 1]; // the newest one that a quorum has cosigned; "": none
	uint8_t request_id[REQUEST_ID_BYTES];
	bool has_request_id;             // for the next call
	bool has_trace;
	uint8_t trace_id[TRACE_ID_BYTES], trace_parent_id[TRACE_PARENT_ID_BYTES];
	uint8_t call_id[REQUEST_ID_BYTES]; // of this call, or the last one
	struct call *call;               // under way; NULL: none
	struct client_watch watch;
	bool interruptible;              // by a descriptor that ends a call that waits
	int interrupt;
	struct signing_key *answer_key;  // of a responder; NULL: it has not registered
	uint8_t take_id[REQUEST_ID_BYTES];
	bool take_open;                  // a take with that id was broken off
	char detail[CPIS_DETAIL_BYTES];
};

// Writes the detail and passes the status through.
enum cpis_status client_fail(struct cpis_client *client, enum cpis_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// The staff key, for signing at once: nobody else with the same key_lock has one open meanwhile. NULL may be closed too.
enum cpis_status client_key_open(struct cpis_client *client, const char *where, struct signing_key **ret);
void client_key_close(struct cpis_client *client, struct signing_key *key);
// For a complaint: the path, or "pkcs11", because a URI may hold a PIN.
const char *client_key_name(const char *staff_key);

// The steps of connecting: from an empty client (NULL with the detail: no memory) to one that is `*ret`, or closed with its detail kept.
struct cpis_client *client_new(char detail[CPIS_DETAIL_BYTES]);
enum cpis_status client_hand_over(struct cpis_client *client, enum cpis_status status, struct cpis_client **ret,
				  char detail[CPIS_DETAIL_BYTES]);
enum cpis_status client_copy_options(struct cpis_client *client, const struct cpis_options *options);
enum cpis_status client_load_trust(struct cpis_client *client, const struct cpis_options *options);
// The log's key alone.
enum cpis_status client_load_log(struct cpis_client *client, const char *trust_directory);
enum cpis_status client_open_sockets(struct cpis_client *client, const struct curve_key_pair *key);

// link.c. A socket for each broker, and of the first one the connection.
void client_links_close(struct cpis_client *client);
// Connects, or does it anew where the connection is lost. libzmq gives one up for good after a refusal, and after bytes that it does
// not understand: whoever can spoil one byte on the way would silence this client for ever.
void client_link_open(struct cpis_client *client, size_t number);
// Ends the connections to all others, and what is on its way to or from them.
void client_links_keep_only(struct cpis_client *client, size_t number);
// What became of the connection since the last time, into the link.
void client_link_read_events(struct client_link *link);

// The broker that the last reply came from, and whose name stands in what is signed there.
static inline const struct client_link *client_link(const struct cpis_client *client)
{
	return &client->links[client->at];
}

// call.c. What a call is made of. Signing names the broker: `sign` fills in what goes to the one of this name. It is run before the
// request is first sent, and again when the request goes to a broker of another name; NULL: nothing is signed. With `only`, brokers
// of this name are asked and no others, of which the one that is asked first has to be one; when there was no answer from any, what is
// signed next is for a broker of another name.
typedef enum cpis_status client_sign(struct cpis_client *client, Cpis__V1__Request *request, const char *broker_name,
				     void *context);
// Run once for each call that was to begin, whatever became of it: looks at the reply (NULL unless the status is CPIS_OK) before the
// caller has it, frees the context, and returns the status that the caller is given. A reply that is not passed on is freed by who runs it.
typedef enum cpis_status client_finish(struct cpis_client *client, enum cpis_status status, const Cpis__V1__Reply *reply,
				       void *context);
struct client_job {
	Cpis__V1__Request *request;      // borrowed until the end, as is `only`
	client_sign *sign;
	client_finish *finish;           // NULL: the caller is given what there is
	void *context;                   // of both
	const char *only;
};
// CPIS_OK: the call is under way. Otherwise it has been finished.
enum cpis_status client_call_begin(struct cpis_client *client, const struct client_job *job, uint32_t deadline_ms);
// From beginning to end.
enum cpis_status client_call(struct cpis_client *client, const struct client_job *job, uint32_t deadline_ms, const Cpis__V1__Reply **ret);
// Waits for the end of the one that is under way.
enum cpis_status client_call_wait(struct cpis_client *client, const Cpis__V1__Reply **ret);
// The same as client_call_begin, for an event loop: the descriptor tells of it from now on.
enum cpis_status client_call_start(struct cpis_client *client, const struct client_job *job, uint32_t deadline_ms);
// CPIS_USAGE while a call is under way: nothing that a call uses may change then.
enum cpis_status client_must_be_idle(struct cpis_client *client);

// signed_act.c. Whose context is a text: where the staff key is.
struct client_act {
	const char *staff_key;
	uint8_t signature[SIGNATURE_BYTES];
};
client_sign client_sign_act;

// watch.c. Makes the descriptor when it is first asked for; false: the system has none left.
bool client_watch_open(struct cpis_client *client);
// From now on it tells of the open connections and of the interrupt, and when this time has come (monotonic). False: out of memory.
bool client_watch_until(struct cpis_client *client, uint64_t due_ms);
// From now on it tells of nothing.
void client_watch_none(struct cpis_client *client);
void client_watch_close(struct cpis_client *client);

uint64_t client_now_ms(void);       // UTC
uint64_t client_monotonic_ms(void);

// A reply and the memory it lives in. `reply` comes first: a reply pointer is a pointer to this.
struct client_reply {
	Cpis__V1__Reply reply;
	struct arena arena;
};

// succession.c. What the bundle says of a log before this one; nothing where it says nothing.
enum cpis_status client_load_succession(struct cpis_client *client, const char *trust_directory);
// Whether a note is a checkpoint of that log.
bool client_is_of_previous(const struct cpis_client *client, const char *note, size_t bytes, struct checkpoint *ret);
// Whether `newest` is still of it: until the first reply of the successor has proven that it begins with it.
bool client_remembers_previous(const struct cpis_client *client);
// The checkpoint file, of that log, is put aside as evidence of it.
enum cpis_status client_keep_previous(struct cpis_client *client, uint64_t size);

// Proves that `reply` to `request` is in the audit log, and that the log has only grown since the newest
// checkpoint; remembers the checkpoint.
enum cpis_status client_check_receipt(struct cpis_client *client, struct arena *arena,
				      const Cpis__V1__Request *request, const Cpis__V1__Reply *reply);
// Whether a consistency proof leads from `old` to `checkpoint`. At most GROWTH_PATH_MAX hashes.
bool client_growth_holds(const struct checkpoint *old, const struct checkpoint *checkpoint, size_t count,
			 const ProtobufCBinaryData *hashes);
// Reads the remembered checkpoint, if there is one.
enum cpis_status client_load_checkpoint(struct cpis_client *client);
// And what is remembered of exchanges.
void client_load_exchange(struct cpis_client *client);

// Writes a text whole in place of what the file held. CPIS_STATE.
enum cpis_status client_replace_file(struct cpis_client *client, const char *path, const char *text);
// Writes and flushes a file of mode 0600; `flags` beside those of creating it.
bool client_write_file(const char *path, const char *text, int flags);

// Two checkpoints that the log's key signed and that are not of one log.
struct client_fork {
	const char *what;        // a sentence without its full stop
	const char *who;         // was shown the other one
	const char *theirs;      // the other one's note
	bool keep_by_theirs;     // the evidence is named by the other note, else by this client's
};
// Keeps both notes beside the checkpoint_file. Passes the status through, with what to do as the detail.
enum cpis_status client_found_fork(struct cpis_client *client, enum cpis_status status, const struct client_fork *fork);

#endif
