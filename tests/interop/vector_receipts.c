// Replies with receipts, good and bad in each way, and what libcpis says of them. And logs that have a successor.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/libcpis/client_priv.h"
#include "tests/interop/newer.h"
#include "tests/interop/vectors.h"

#define HELD 5u    // records in the log that the client has seen
#define PRESENT 8u // and in the broker's

static char flagged[] = "9990000018", notice[] = "This child is known.", other[] = "second-record-system";

struct turn {
	struct vectors *vectors;
	struct vector_log *log;
	Cpis__V1__Request request;
	Cpis__V1__FlagRequest flag;
	Cpis__V1__AuditRecord record;
	Cpis__V1__Reply reply;
	Cpis__V1__FlagReply answer;
	Cpis__V1__PingReply ping;
	uint64_t held;  // from which growth is proven
};

// ------------------------------------------------------------------ what the client says

static const char *verdict_word(enum cpis_status status)
{
	switch (status) {
	case CPIS_OK:
		return "ok";
	case CPIS_PROTOCOL:
		return "not well-formed";
	case CPIS_RECEIPT:
		return "not proven";
	case CPIS_LOG_SHORTENED:
		return "log shortened";
	case CPIS_LOG_FORKED:
		return "log forked";
	default:
		vectors_must(false, "the client has failed in another way");
		return "";
	}
}

static struct cpis_client *new_client(const struct vectors *vectors)
{
	struct cpis_client *client = calloc(1, sizeof *client);
	vectors_must(client != NULL, "memory");
	client->log = vectors->log;
	client->system = vectors->system;
	client->link_count = 1;
	snprintf(client->links[0].broker.name, sizeof client->links[0].broker.name, "%s", VECTORS_BROKER);
	return client;
}

// As clients/libcpis/call.c judges.
static enum cpis_status judge(struct cpis_client *client, const Cpis__V1__Request *request, const uint8_t *bytes, size_t count)
{
	struct arena arena;
	struct wire_error error;
	Cpis__V1__Reply *reply = NULL;
	vectors_must(arena_init(&arena, ARENA_BYTES), "memory");
	enum cpis_status status = CPIS_PROTOCOL;
	if (wire_reply_decode(&arena, bytes, count, &reply, &error) == WIRE_OK &&
	    (reply->outcome != CPIS__V1__OUTCOME__OK || (int)reply->body_case == (int)request->body_case))
		status = reply->receipt == NULL ? CPIS_OK : client_check_receipt(client, &arena, request, reply);
	arena_done(&arena);
	return status;
}

// ------------------------------------------------------------------ a turn

static void begin(struct vectors *vectors, struct vector_log *log, struct turn *turn)
{
	static uint8_t id[REQUEST_ID_BYTES] = {0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	*turn = (struct turn){.vectors = vectors, .log = log, .held = HELD};
	cpis__v1__request__init(&turn->request);
	cpis__v1__flag_request__init(&turn->flag);
	cpis__v1__reply__init(&turn->reply);
	cpis__v1__flag_reply__init(&turn->answer);
	cpis__v1__ping_reply__init(&turn->ping);
	turn->flag.nhs_number = flagged;
	turn->request.protocol_version = turn->reply.protocol_version = PROTOCOL_VERSION;
	turn->request.request_id = turn->reply.request_id = (ProtobufCBinaryData){sizeof id, id};
	turn->request.deadline_ms = 5000;
	turn->request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	turn->request.flag = &turn->flag;
	turn->reply.outcome = CPIS__V1__OUTCOME__OK;
	turn->answer.flag = true;
	turn->answer.notice = notice;
	turn->reply.body_case = CPIS__V1__REPLY__BODY_FLAG;
	turn->reply.flag = &turn->answer;
	vector_record(log, &turn->request, &turn->record);
}

static void seal(struct turn *turn)
{
	vector_log_seal(turn->vectors, turn->log, &turn->record, turn->held, &turn->reply);
}

// The first `count` records of any log of ours; what follows differs.
static void grow(struct vectors *vectors, struct vector_log *log, const struct signing_key *key, const char *origin, uint64_t count)
{
	log->key = key;
	log->origin = origin;
	while (log->tree.size < count) {
		struct turn turn;
		begin(vectors, log, &turn);
		turn.held = 0;
		seal(&turn);
	}
}

// ------------------------------------------------------------------ lies

typedef void lie(struct turn *turn);

static void another_request(struct turn *turn)
{
	static uint8_t id[REQUEST_ID_BYTES] = {1};
	turn->record.request_id.data = id;
	seal(turn);
}

static void no_request_id(struct turn *turn)
{
	turn->record.request_id = (ProtobufCBinaryData){0, NULL};
	seal(turn);
}

static void another_operation(struct turn *turn)
{
	turn->record.operation = CPIS__V1__OPERATION__PING;
	seal(turn);
}

static void no_operation(struct turn *turn)
{
	turn->record.operation = CPIS__V1__OPERATION__OPERATION_UNSPECIFIED;
	seal(turn);
}

static void another_outcome(struct turn *turn)
{
	turn->record.outcome = CPIS__V1__OUTCOME__ACCESS_DENIED;
	seal(turn);
}

static void another_reason(struct turn *turn)
{
	static char code[] = "deadline";
	turn->record.reason_code = code;
	seal(turn);
}

static void another_organisation(struct turn *turn)
{
	static char organisation[] = "RYD";
	turn->record.organisation = organisation;
	seal(turn);
}

static void another_system(struct turn *turn)
{
	turn->record.system_name = other;
	seal(turn);
}

static void nobody(struct turn *turn)
{
	static char empty[] = "";
	turn->record.organisation = turn->record.system_name = empty;
	seal(turn);
}

static void another_broker(struct turn *turn)
{
	turn->record.broker_name = other;
	seal(turn);
}

static void another_place(struct turn *turn)
{
	turn->record.index++;
	seal(turn);
}

static void another_version(struct turn *turn)
{
	turn->record.version = 2;
	seal(turn);
}

static void altered_record(struct turn *turn)
{
	seal(turn);
	turn->reply.receipt->record.data[turn->reply.receipt->record.len - 1] ^= 1;
}

static void altered_salt(struct turn *turn)
{
	seal(turn);
	turn->reply.receipt->salt.data[0] ^= 1;
}

static void altered_path(struct turn *turn)
{
	seal(turn);
	turn->reply.receipt->path[0].data[7] ^= 1;
}

static void shorter_path(struct turn *turn)
{
	seal(turn);
	turn->reply.receipt->n_path--;
}

static void another_index(struct turn *turn)
{
	seal(turn);
	turn->reply.receipt->index--;
}

static void altered_signature(struct turn *turn)
{
	seal(turn);
	char *note = turn->reply.receipt->checkpoint;
	char *at = note + strlen(note) - 20;
	*at = *at == 'A' ? 'B' : 'A';
}

static void another_key(struct turn *turn)
{
	turn->log->key = turn->vectors->staff_key;
	seal(turn);
}

static void another_log(struct turn *turn)
{
	turn->log->origin = "cpis.example/audit/other";
	seal(turn);
}

static void no_receipt(struct turn *turn)
{
	(void)turn;
}

static void another_body(struct turn *turn)
{
	seal(turn);
	turn->reply.body_case = CPIS__V1__REPLY__BODY_PING;
	turn->reply.ping = &turn->ping;
}

static void altered_growth(struct turn *turn)
{
	seal(turn);
	turn->reply.receipt->growth[0].data[0] ^= 1;
}

static void no_growth(struct turn *turn)
{
	turn->held = 0;
	seal(turn);
}

static void the_truth(struct turn *turn)
{
	seal(turn);
}

static void a_refusal(struct turn *turn)
{
	static char code[] = "role_lacks_activity";
	turn->record.outcome = turn->reply.outcome = CPIS__V1__OUTCOME__ACCESS_DENIED;
	turn->record.reason_code = turn->reply.reason_code = code;
	turn->reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
	seal(turn);
}

static void a_refusal_recorded_as_done(struct turn *turn)
{
	a_refusal(turn);
	turn->log->tree.size--;
	turn->record.outcome = CPIS__V1__OUTCOME__OK;
	seal(turn);
}

static void unknown_system(struct turn *turn)
{
	static char code[] = "system_unknown", empty[] = "";
	turn->record.organisation = turn->record.system_name = empty;
	turn->record.outcome = turn->reply.outcome = CPIS__V1__OUTCOME__ASID_CHECK_FAILED;
	turn->record.reason_code = turn->reply.reason_code = code;
	turn->reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
	seal(turn);
}

static void unreadable(struct turn *turn)
{
	static char code[] = "not_well_formed";
	turn->record.operation = CPIS__V1__OPERATION__OPERATION_UNSPECIFIED;
	turn->record.outcome = turn->reply.outcome = CPIS__V1__OUTCOME__MESSAGE_NOT_WELL_FORMED;
	turn->record.reason_code = turn->reply.reason_code = code;
	turn->reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
	turn->held = 0;
	seal(turn);
}

static void unavailable(struct turn *turn)
{
	static char code[] = "store";
	turn->reply.outcome = CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE;
	turn->reply.reason_code = code;
	turn->reply.retry_after_ms = 1000;
	turn->reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
}

// ------------------------------------------------------------------ what a later version has added

static void newer_everywhere(struct turn *turn)
{
	newer_add(&turn->record.base, NEWER_NUMBER_FIRST, NEWER_FIELDS_MAX);
	newer_add(&turn->answer.base, NEWER_NUMBER_FIRST, NEWER_FIELDS_MAX);
	seal(turn);
	newer_add(&turn->reply.receipt->base, NEWER_NUMBER_FIRST, NEWER_FIELDS_MAX);
	newer_add(&turn->reply.base, NEWER_NUMBER_FIRST, NEWER_FIELDS_MAX);
}

static void newer_refusal(struct turn *turn)
{
	newer_add(&turn->record.base, NEWER_NUMBER_FIRST, 1);
	a_refusal(turn);
	newer_add(&turn->reply.base, NEWER_NUMBER_FIRST, 1);
}

static void too_many_in_reply(struct turn *turn)
{
	seal(turn);
	newer_add(&turn->reply.base, NEWER_NUMBER_FIRST, NEWER_FIELDS_MAX + 1);
}

static void too_many_in_receipt(struct turn *turn)
{
	seal(turn);
	newer_add(&turn->reply.receipt->base, NEWER_NUMBER_FIRST, NEWER_FIELDS_MAX + 1);
}

static void too_many_in_body(struct turn *turn)
{
	newer_add(&turn->answer.base, NEWER_NUMBER_FIRST, NEWER_FIELDS_MAX + 1);
	seal(turn);
}

static void too_many_in_record(struct turn *turn)
{
	newer_add(&turn->record.base, NEWER_NUMBER_FIRST, NEWER_FIELDS_MAX + 1);
	seal(turn);
}

static void newer_and_another_outcome(struct turn *turn)
{
	newer_add(&turn->record.base, NEWER_NUMBER_FIRST, 1);
	another_outcome(turn);
}

// ------------------------------------------------------------------ cases

struct receipt_case {
	const char *name;
	lie *tell;
	uint64_t held;     // what the client remembers; 0: nothing
	uint64_t present;  // records in the broker's log before
	bool forked;       // what it remembers is of another log under the same key
};

static const struct receipt_case cases[] = {
	{"the truth", the_truth, HELD, PRESENT, false},
	{"nothing was remembered", no_growth, 0, PRESENT, false},
	{"the first record", no_growth, 0, 0, false},
	{"a refusal", a_refusal, HELD, PRESENT, false},
	{"a refusal to a system that is not known", unknown_system, HELD, PRESENT, false},
	{"a request that could not be read; its checkpoint is not taken over", unreadable, HELD, PRESENT, false},
	{"unavailable, without a receipt", unavailable, HELD, PRESENT, false},
	{"record of another request", another_request, HELD, PRESENT, false},
	{"record without a request id", no_request_id, HELD, PRESENT, false},
	{"record of another operation", another_operation, HELD, PRESENT, false},
	{"record of no operation", no_operation, HELD, PRESENT, false},
	{"record of another outcome", another_outcome, HELD, PRESENT, false},
	{"record of another reason", another_reason, HELD, PRESENT, false},
	{"record of another organisation", another_organisation, HELD, PRESENT, false},
	{"record of another system", another_system, HELD, PRESENT, false},
	{"record of nobody", nobody, HELD, PRESENT, false},
	{"record of another broker", another_broker, HELD, PRESENT, false},
	{"record of another place", another_place, HELD, PRESENT, false},
	{"record of another version", another_version, HELD, PRESENT, false},
	{"a refusal that is recorded as done", a_refusal_recorded_as_done, HELD, PRESENT, false},
	{"one byte of the record altered", altered_record, HELD, PRESENT, false},
	{"one byte of the salt altered", altered_salt, HELD, PRESENT, false},
	{"one byte of the path altered", altered_path, HELD, PRESENT, false},
	{"a path that is too short", shorter_path, HELD, PRESENT, false},
	{"another index", another_index, HELD, PRESENT, false},
	{"the checkpoint's signature altered", altered_signature, HELD, PRESENT, false},
	{"a checkpoint by another key", another_key, HELD, PRESENT, false},
	{"a checkpoint of another log", another_log, HELD, PRESENT, false},
	{"no receipt", no_receipt, HELD, PRESENT, false},
	{"the body of another operation", another_body, HELD, PRESENT, false},
	{"growth altered", altered_growth, HELD, PRESENT, false},
	{"no growth", no_growth, HELD, PRESENT, false},
	{"a log that was cut", no_growth, HELD, HELD - 2, false},
	{"another log of the same size", no_growth, HELD, HELD - 1, true},
	{"another log that is longer", the_truth, HELD, PRESENT, true},
	{"a request that could not be read, in a log that was cut", unreadable, HELD, HELD - 2, false},
	{"a request that could not be read, in another log of the same size", unreadable, HELD, HELD - 1, true},
	{"a request that could not be read, in another log that is longer; its checkpoint is not taken over", unreadable, HELD, PRESENT, true},
	{"sixteen newer fields each in the reply, its body, its receipt and the record", newer_everywhere, HELD, PRESENT, false},
	{"a refusal with a newer field, and one in the record", newer_refusal, HELD, PRESENT, false},
	{"seventeen newer fields in the reply", too_many_in_reply, HELD, PRESENT, false},
	{"seventeen newer fields in the receipt", too_many_in_receipt, HELD, PRESENT, false},
	{"seventeen newer fields in the body", too_many_in_body, HELD, PRESENT, false},
	{"seventeen newer fields in the record", too_many_in_record, HELD, PRESENT, false},
	{"record of another outcome, with a newer field", newer_and_another_outcome, HELD, PRESENT, false},
};

static json_t *case_json(const char *name, const struct turn *turn, struct cpis_client *client, const char *held)
{
	size_t request_bytes = 0, reply_bytes = 0;
	const uint8_t *request = wire_pack(&turn->vectors->arena, &turn->request.base, &request_bytes);
	const uint8_t *reply = wire_pack(&turn->vectors->arena, &turn->reply.base, &reply_bytes);
	vectors_must(request != NULL && reply != NULL, "message");
	enum cpis_status status = judge(client, &turn->request, reply, reply_bytes);
	return json_pack("{s:s,s:s,s:o,s:o,s:s,s:I}", "name", name, "held", held, "request", vectors_hex(request, request_bytes), "reply",
			 vectors_hex(reply, reply_bytes), "verdict", verdict_word(status), "size_held_after",
			 (json_int_t)client->newest.size);
}

static json_t *make_case(struct vectors *vectors, const struct receipt_case *made)
{
	static struct vector_log log, another;
	struct turn turn;
	memset(&log, 0, sizeof log);
	memset(&another, 0, sizeof another);
	grow(vectors, &log, vectors->log_key, VECTORS_ORIGIN, made->present);
	grow(vectors, &another, vectors->log_key, VECTORS_ORIGIN, HELD);
	if (made->held > made->present)
		grow(vectors, &log, vectors->log_key, VECTORS_ORIGIN, made->held);
	const struct vector_log *shown = made->forked ? &another : &log;
	char note[NOTE_BYTES_MAX + 1] = "";
	struct cpis_client *client = new_client(vectors);
	if (made->held > 0) {
		snprintf(note, sizeof note, "%s", shown->notes[made->held]);
		vectors_must(checkpoint_verify(note, strlen(note), &client->log, &client->newest) == CERTS_OK, "checkpoint");
	}
	if (log.tree.size > made->present)
		vectors_must(merkle_tree_load(made->present, vector_log_fetch, &log, &log.tree), "tree");
	begin(vectors, &log, &turn);
	turn.request.log_size = made->held;
	made->tell(&turn);
	json_t *json = case_json(made->name, &turn, client, note);
	free(client);
	return json;
}

static void write_receipts(struct vectors *vectors)
{
	json_t *list = json_array();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		json_array_append_new(list, make_case(vectors, &cases[i]));
	vectors_write(vectors, "receipts.json",
		      "Replies to one request, and what a client that remembers the checkpoint `held` says of them, and the size it remembers then.",
		      json_pack("{s:o,s:s,s:s,s:s,s:o}", "vkey", vectors_file_text(vectors_path(vectors, "ra/trust/log.vkey")),
				"organisation", VECTORS_ORGANISATION, "system_name", VECTORS_SYSTEM, "broker_name", VECTORS_BROKER,
				"cases", list));
}

// ------------------------------------------------------------------ successors

#define SUCCEEDED 6u

struct succession {
	struct vectors *vectors;
	struct signing_key *key;      // of the successor
	struct note_verifier verifier;
	char vkey[512], previous_vkey[512];
	struct vector_log before;
	json_t *cases;
};

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	vectors_must(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, path);
}

static void add_succession(struct succession *succession, const char *name, uint64_t held, bool begins_with_it)
{
	static struct vector_log log;
	struct vectors *vectors = succession->vectors;
	struct turn turn;
	struct cpis_client *client = new_client(vectors);
	const char *trust = vectors_path(vectors, "succession"), *file = vectors_path(vectors, "succession/checkpoint");
	client->log = succession->verifier;
	write_text(vectors_path(vectors, "succession/log.previous"), succession->previous_vkey);
	write_text(vectors_path(vectors, "succession/log.succeeded"), succession->before.notes[SUCCEEDED]);
	write_text(file, succession->before.notes[held]);
	snprintf(client->checkpoint_file, sizeof client->checkpoint_file, "%s", file);
	vectors_must(client_load_succession(client, trust) == CPIS_OK && client_load_checkpoint(client) == CPIS_OK, client->detail);
	log = succession->before;
	vectors_must(merkle_tree_load(SUCCEEDED, vector_log_fetch, &log, &log.tree), "tree");
	if (!begins_with_it)
		log.tree.size = 0;
	grow(vectors, &log, succession->key, succession->verifier.origin, SUCCEEDED);
	log.key = succession->key;
	log.origin = succession->verifier.origin;
	begin(vectors, &log, &turn);
	turn.request.log_size = turn.held = client->newest.size;
	seal(&turn);
	json_t *made = case_json(name, &turn, client, succession->before.notes[held]);
	json_object_set_new(made, "log_size", json_integer((json_int_t)turn.held));
	json_array_append_new(succession->cases, made);
	free(client);
	char clean[192];
	snprintf(clean, sizeof clean, "rm -f '%s'/*", trust);
	vectors_must(system(clean) == 0, clean);
}

static void write_successions(struct vectors *vectors)
{
	static struct succession succession;
	succession = (struct succession){.vectors = vectors, .cases = json_array()};
	vectors_must(mkdir(vectors_path(vectors, "succession"), 0700) == 0 && signing_key_generate(&succession.key) == CERTS_OK, "key");
	snprintf(succession.verifier.origin, sizeof succession.verifier.origin, "%s-2", VECTORS_ORIGIN);
	signing_key_public(succession.key, succession.verifier.public_key);
	vectors_must(note_verifier_format(&succession.verifier, succession.vkey, sizeof succession.vkey) == CERTS_OK &&
			     note_verifier_format(&vectors->log, succession.previous_vkey, sizeof succession.previous_vkey) == CERTS_OK,
		     "verifier key");
	strcat(succession.vkey, "\n");
	strcat(succession.previous_vkey, "\n");
	grow(vectors, &succession.before, vectors->log_key, VECTORS_ORIGIN, PRESENT);
	add_succession(&succession, "remembered: less than the successor begins with", SUCCEEDED - 2, true);
	add_succession(&succession, "remembered: just what it begins with", SUCCEEDED, true);
	add_succession(&succession, "remembered: more; the rest is lost, and nothing is proven", PRESENT, true);
	add_succession(&succession, "a successor that does not begin with what was remembered", SUCCEEDED - 2, false);
	vectors_write(vectors, "successions.json",
		      "A log that has a successor: log.previous and log.succeeded stand in the trust bundle, `held` in the checkpoint file is the "
		      "previous log's. `log_size` is what the client says of it.",
		      json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "vkey", succession.vkey, "log.previous", succession.previous_vkey,
				"log.succeeded", succession.before.notes[SUCCEEDED], "organisation", VECTORS_ORGANISATION, "system_name",
				VECTORS_SYSTEM, "broker_name", VECTORS_BROKER, "cases", succession.cases));
	signing_key_free(succession.key);
}

void vectors_make_receipts(struct vectors *vectors)
{
	write_receipts(vectors);
	write_successions(vectors);
}
