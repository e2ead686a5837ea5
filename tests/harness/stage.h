// A broker's core on a stage: a throw-away authority, systems and staff with real keys, the shipped policy, a
// SQLite store, a vault and a log key in a directory of their own under /tmp, and a clock that stands still until
// the test moves it. What goes wrong in the stage itself aborts with a sentence; there is no error to handle.
//
// Every reply that comes back has been decoded strictly, its receipt proven against the log's key and its record
// compared with the request: a test that gets a reply need not ask.
#ifndef CPIS_TESTS_HARNESS_STAGE_H
#define CPIS_TESTS_HARNESS_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/core.h"
#include "certs/cosignature.h"
#include "proto/wire.h"
#include "tests/harness/fault_store.h"

#define STAGE_BROKER_NAME "test-broker"
#define STAGE_MINUTE_MS (60u * 1000u)
#define STAGE_HOUR_MS (60u * STAGE_MINUTE_MS)
#define STAGE_DAY_MS (24u * STAGE_HOUR_MS)
#define STAGE_NOW_MS 1792488600000u                       // Tuesday 2026-10-20, 09:30 UTC, 10:30 in England
#define STAGE_MADE_MS (STAGE_NOW_MS - 10u * STAGE_DAY_MS) // certificates and revocation lists
#define STAGE_LISTS_END_MS (STAGE_MADE_MS + 30u * STAGE_DAY_MS)
#define STAGE_BATCH_MAX 32u
// The web hosts of the hospital and of the infirmary; the others have none.
#define STAGE_WEB_HOST "cpis.rxh.example"
#define STAGE_OTHER_WEB_HOST "cpis.rxj.example"
#define STAGE_RANGE_FIRST "9995000000"
#define STAGE_RANGE_LAST "9995999999"

enum stage_system {
	STAGE_HOSPITAL,     // RXH: emergency department only
	STAGE_COMMUNITY,    // RY7: school nursing only
	STAGE_INFIRMARY,    // RXJ: emergency department, maternity and general practice
	STAGE_LEEDS,        // 383
	STAGE_BRIGHTON,     // 846
	STAGE_NATIONAL,     // X26
	STAGE_NEIGHBOUR,    // W00: answers for STAGE_RANGE_FIRST to STAGE_RANGE_LAST
	STAGE_DEMOGRAPHICS, // X09: answers demographics, once stage_ask_demographics has been called
	STAGE_UNREGISTERED, // RYX: enrolled, but its organisation is not in the register
	STAGE_EXPIRED,      // RXH: was good for its first day
	STAGE_NEWCOMER,     // RXH: has a certificate, which is not enrolled until stage_enrol_newcomer
	STAGE_STRANGER,     // a key that nobody enrolled
	STAGE_KEYLESS,      // a connection whose key is not known at all
	STAGE_SYSTEMS
};

enum stage_person {
	NURSE,            // R8001 at RXH
	RECEPTIONIST,     // R8009 at RXH
	PRIVACY_OFFICER,  // R0001 at RXH
	OTHER_NURSE,      // R8001 at RY7, whose care setting is a scheduled one
	SCHOOL_NURSE,     // the same, and granted B0170
	MIDWIFE,          // R8016 at RXJ, and granted B0170
	LEEDS_WORKER,     // R9535 at 383, and granted L0601
	BRIGHTON_WORKER,  // R9535 at 846
	BRIGHTON_DUTY,    // R9605 at 846: inbox only
	REVIEWER,         // R5105 at X26
	CONSULTANT,       // R0050 at RXH, may break the glass; and granted L0202
	REGISTRAR,        // R5090 at RXH
	NATIONAL_REGISTRAR, // R5080 at X26
	PAST_NURSE,       // R8001 at RXH, ended yesterday
	FUTURE_NURSE,     // R8001 at RXH, from tomorrow
	NOBODY,           // a certificate and no role profile
	EXPIRED_NURSE,    // R8001 at RXH; the certificate was good for its first day
	NEIGHBOUR,        // R8015 at W00, and granted L0102
	DEMOGRAPHER,      // R8015 at X09
	LEEDS_REVIEWER,   // R0001 at 383
	INFIRMARY_GUARDIAN, // R5105 at RXJ
	OPERATOR,         // R8015 at X26, and granted L0501
	STAGE_PERSONS
};

struct stage_reply {
	struct arena arena;
	Cpis__V1__Reply *reply;
	Cpis__V1__AuditRecord *record; // NULL when there is no receipt
	struct checkpoint checkpoint;  // that the receipt leads to
	const uint8_t *packed;         // as it came
	size_t packed_bytes;
};

struct stage {
	char directory[64];
	uint64_t now_ms;                         // the clock
	struct policy *policy;
	struct register_snapshot *snapshot;
	struct vault *vault;
	struct session_keys session_keys;        // the vault at first; for the next core
	struct signing_key *log_key;
	struct note_verifier log;
	struct witness_policy witnesses;         // at first none; these two are for the next core
	uint64_t witness_required_s;
	struct store *disk;
	struct fault_store fault;                // before `disk`; the core sees this one
	struct core *core;
	struct core *other_core;                 // stage_add_broker; NULL: there is one broker
	struct store *other_disk;
	bool is_other;                           // `core` and `other_core` have changed places
	char database[40];                       // of stage_brokers.h; "": none
	bool unsigned_acts;                      // publications are not signed
	bool asks_demographics;                  // the register names a demographics service
	void (*around_core)(bool inside);        // told when a request goes into the core or a batch is ended, and after; NULL: nobody
	bool enrolling;                          // what is submitted comes on the enrolment endpoint
	struct curve_key_pair keys[STAGE_SYSTEMS];
	char system_files[STAGE_SYSTEMS][128];   // certificates
	char person_files[STAGE_PERSONS][128];
	uint64_t profile_ends_ms[STAGE_PERSONS]; // 0: as the cast says
	const char *inbox[STAGE_SYSTEMS];        // the organisation's "inbox" in the register; NULL: none
	struct { uint8_t data[MESSAGE_BYTES_MAX]; size_t bytes; enum stage_system system; struct wait wait; } parked;
	uint8_t tokens[STAGE_PERSONS][SESSION_TOKEN_BYTES_MAX];
	size_t token_bytes[STAGE_PERSONS];
	struct { uint8_t *data; size_t bytes; } asked[STAGE_BATCH_MAX]; // of the batch under way
	size_t asked_count;
	struct stage_reply **replies;            // all there ever were, for stage_free
	size_t reply_count;
	struct stage_reply *batch[STAGE_BATCH_MAX]; // of the last flush
};

// Reads broker/policy.yaml: run from the top of the tree.
struct stage *stage_new(void);
// In a directory of its own under this one, e.g. where there is no disk to wait for. At most 40 bytes.
struct stage *stage_new_in(const char *parent);
// Over another store than SQLite's, an empty one, which is the stage's from here on.
struct stage *stage_new_over(struct store *store);
void stage_free(struct stage *stage); // accepts NULL

const char *stage_uid(enum stage_person person);
enum stage_system stage_system_of(enum stage_person person);

// ------------------------------------------------------------------ scenery

// A second broker with the same keys, policy and register on a store of its own that is the same database. What follows is asked of the
// one that stage_change_broker was called for last. A restart begins with the first one again.
void stage_add_broker(struct stage *stage, struct store *store);
void stage_change_broker(struct stage *stage);

// The core goes and a new one comes over the same store; sessions and register stay.
void stage_restart(struct stage *stage);
// The replies so far are gone.
void stage_forget(struct stage *stage);
// A new core over the same store, or false with the reason.
bool stage_try_core(struct stage *stage, struct core **ret, char detail[CORE_DETAIL_BYTES]);
void stage_end_profile(struct stage *stage, enum stage_person person); // now
// What the register says of the organisation's inbox from now on, e.g. "{same_look_minutes: 0}".
void stage_set_inbox(struct stage *stage, enum stage_system system, const char *inbox);
// The shipped policy with these lines in place of its detection rules and sampling ("": with none), in a new core over the same store.
void stage_set_detection(struct stage *stage, const char *rules);
// Does all that is due by now. False: a step failed.
bool stage_tick(struct stage *stage);
// The registration authority's part: its certificate is put among the enrolled ones.
void stage_enrol_newcomer(struct stage *stage);
// From now on the register says that X09 answers demographics; or no longer.
void stage_ask_demographics(struct stage *stage, bool asks);
// Reads its files again: those of identity providers are in a folder `identity` of the stage's, where there is one.
void stage_read_register(struct stage *stage);
void stage_revoke_person(struct stage *stage, enum stage_person person);
void stage_revoke_system(struct stage *stage, enum stage_system system);
// An authority's telephones, without a request and a record; at first both authorities have some. NULL: none any more.
void stage_set_contacts(struct stage *stage, enum stage_system system, const char *emergency_duty_telephone);
// Rows of the audit log as the store has them.
uint64_t stage_log_size(struct stage *stage);
// The store's own log leads to its own checkpoint, row by row, without gaps.
bool stage_log_verifies(struct stage *stage);

// ------------------------------------------------------------------ talk

// Fills version, deadline and a random request id where the caller left them out, and puts the request into the
// batch. False: the batch is full.
bool stage_submit(struct stage *stage, enum stage_system system, Cpis__V1__Request *request);
bool stage_submit_bytes(struct stage *stage, enum stage_system system, const void *data, size_t bytes,
			uint64_t waited_ms);
// The same with the person's token and from the person's system. Publications are signed by the person, unless they are
// signed already.
bool stage_submit_as(struct stage *stage, enum stage_person person, Cpis__V1__Request *request);
// Ends the batch: `stage->batch` has the replies. The return is core_flush's.
bool stage_flush(struct stage *stage);

// A batch of one. Borrowed until stage_free.
const struct stage_reply *stage_ask(struct stage *stage, enum stage_system system, Cpis__V1__Request *request);
const struct stage_reply *stage_ask_as(struct stage *stage, enum stage_person person, Cpis__V1__Request *request);
const struct stage_reply *stage_ask_bytes(struct stage *stage, enum stage_system system, const void *data, size_t bytes,
					  uint64_t waited_ms);
// A request that waits: it finds nothing and is put aside, else the test fails. One at a time.
void stage_park_as(struct stage *stage, enum stage_person person, Cpis__V1__Request *request);
// Whether what it waits for has happened since the last look; looking forgets it.
bool stage_is_woken(struct stage *stage);
// Submits it again. NULL: it waits on. `may_wait` false: its time is over.
const struct stage_reply *stage_resume(struct stage *stage, bool may_wait);
// A browser: asked for a proof of the challenge, which lives until it is asked again.
struct stage_prover {
	const Cpis__V1__BrowserProof *(*prove)(void *context, const uint8_t challenge[HASH_BYTES]);
	void *context;
};
// A signed act, by `signer`'s key at `act_time_ms`, in `person`'s session.
const struct stage_reply *stage_act(struct stage *stage, enum stage_person person, enum stage_person signer,
				    uint64_t act_time_ms, Cpis__V1__Request *request);

// The same, proven by a browser, under this request id (NULL: a random one); `signer` STAGE_PERSONS: not signed too.
const struct stage_reply *stage_act_proven(struct stage *stage, enum stage_person person, enum stage_person signer, uint64_t act_time_ms,
					   const uint8_t *request_id, const struct stage_prover *prover, Cpis__V1__Request *request);

// What a person signs; stage_statement fills in the truth.
struct stage_statement {
	const char *uid, *role, *organisation, *broker_name;
	const uint8_t *channel_key;
	uint64_t time_ms;
	const char *certificate, *key;    // files
	enum stage_system sent_from;
	const uint8_t *nonce;             // NONCE_BYTES; NULL: a random one
	int flip;                         // this byte of the signature is altered; -1: none
	const struct stage_prover *prover; // a browser that proves in place of the signature; NULL: none
	bool signed_too;
	const uint8_t *request_id;        // REQUEST_ID_BYTES; NULL: a random one
	const char *identity_token;       // in place of certificate and signature; NULL: none
};
struct stage_statement stage_statement(const struct stage *stage, enum stage_person person);
const struct stage_reply *stage_present(struct stage *stage, const struct stage_statement *statement);
// Opens a session that must succeed, and keeps its token.
const struct stage_reply *stage_sign_in(struct stage *stage, enum stage_person person);
// Keeps the token of a session that was opened otherwise.
void stage_take_token(struct stage *stage, enum stage_person person, const struct stage_reply *got);

const struct stage_reply *stage_ping(struct stage *stage, enum stage_system system);
const struct stage_reply *stage_flag(struct stage *stage, enum stage_person person, const char *nhs_number);
const struct stage_reply *stage_details(struct stage *stage, enum stage_person person, const char *nhs_number);
const struct stage_reply *stage_inbox(struct stage *stage, enum stage_person person);
const struct stage_reply *stage_show(struct stage *stage, enum stage_person person, uint64_t index);
// A record of the log, which must be shown.
const Cpis__V1__AuditEntry *stage_shown(struct stage *stage, enum stage_person person, uint64_t index);

// A request that publishes `count` plans for the worker's own authority: fill `plan`, then send `request`.
#define STAGE_PLANS_MAX 16
struct stage_file {
	Cpis__V1__Request request;
	Cpis__V1__PublishRequest publish;
	Cpis__V1__PlanRecord plan[STAGE_PLANS_MAX];
	Cpis__V1__PlanRecord *plans[STAGE_PLANS_MAX];
};
// Good plans: CPP, rows from 1, begun in 2026, of the children 999 000 0018 and after, born on STAGE_BIRTH_DATE: old enough
// to be mothers.
#define STAGE_BIRTH_DATE "2009-06-01"
void stage_file_init(struct stage_file *file, enum stage_person worker, size_t count);
// One plan, which must be stored, and all that follows from it. NULL dates are empty.
void stage_publish(struct stage *stage, enum stage_person worker, const char *nhs_number, Cpis__V1__PlanType type,
		   const char *start, const char *end, const char *withdrawn);

// Child number n: 999 000 0018 is 0. At most 9 of them.
const char *stage_child(size_t n);
// The outcome and reason code are these, else a failed check with both in words.
#define stage_expect(got, expected_outcome, expected_reason)                                         \
	do {                                                                                         \
		const struct stage_reply *expect_got_ = (got);                                       \
		ck_assert_str_eq(wire_outcome_name(expect_got_->reply->outcome),                     \
				 wire_outcome_name(CPIS__V1__OUTCOME__##expected_outcome));           \
		ck_assert_str_eq(expect_got_->reply->reason_code, expected_reason);                  \
	} while (0)
#define stage_expect_ok(got) stage_expect(got, OK, "")
// The same bytes in body: what the asker can tell apart.
bool stage_same_body(const struct stage_reply *a, const struct stage_reply *b);

#endif
