// The pipeline every request goes through: identify, decide, carry out, record, commit, answer.
#include "broker/core_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/browser_proof.h"
#include "broker/finding.h"
#include "broker/log.h"
#include "broker/request.h"
#include "proto/invariant.h"

#define RIGHTS_UNREADABLE "nobody is answered until policy, quarantine list, role profiles and invitations can be read"

static const struct witness_policy no_witnesses;

static void take_register(struct core *core, struct register_snapshot *snapshot)
{
	register_release(core->options.snapshot);
	core->options.snapshot = snapshot;
}

static bool open_policy(struct core *core, char detail[CORE_DETAIL_BYTES])
{
	char why[POLICY_IN_FORCE_DETAIL_BYTES] = "";
	if (!policy_in_force_new(core->options.store, core->options.vault, core->options.policy,
				 &core->options.policy_reader, &core->in_force, why)) {
		snprintf(detail, CORE_DETAIL_BYTES, "%.*s", CORE_DETAIL_BYTES - 1, why);
		return false;
	}
	struct register_snapshot *snapshot = policy_in_force_committed(core->in_force);
	if (snapshot != NULL)
		take_register(core, snapshot);
	return true;
}

// The newest record has to open: under another key every child would be unknown, and be reported so.
static bool read_newest(struct core *core, char detail[CORE_DETAIL_BYTES])
{
	struct store *store = core->options.store;
	struct store_audit row = {0};
	uint64_t size = 0;
	bool read = store->ops->audit_size(store, &size) == STORE_OK &&
		    (size == 0 || store->ops->audit_get(store, size - 1, &core->arena, &row) == STORE_OK);
	bool opens = read && (size == 0 || audit_entry(core->audit, &core->arena, &row) != NULL);
	core->newest_ms = row.time_ms;
	arena_reset(&core->arena);
	if (!read)
		snprintf(detail, CORE_DETAIL_BYTES, "the audit log's newest record cannot be read");
	else if (!opens)
		snprintf(detail, CORE_DETAIL_BYTES, "the audit log's newest record does not open: is this the store's key?");
	return opens;
}

// What ends by its date is judged by the clock, so a clock that was set back is told of. Once each time.
static void watch_clock(struct core *core, uint64_t now_ms)
{
	bool behind = now_ms + CLOCK_SKEW_MS_MAX < core->newest_ms;
	if (behind && !core->clock_behind)
		log_event(LOG_EVENT_CLOCK_SET_BACK, "the clock is %llu s behind the newest audit record",
			  (unsigned long long)((core->newest_ms - now_ms) / 1000));
	core->clock_behind = behind;
	if (now_ms > core->newest_ms)
		core->newest_ms = now_ms;
}

void core_remember_again(struct core *core)
{
	struct op_context context = core_context(core, core->newest_ms);
	context.arena = &core->spare; // replies that are still to be sent may lie in the other one
	core->detection_next = audit_next_index(core->audit);
	detection_forget(core->detection);
	if (policy_detection(core_policy(core))->count == 0 || core->detection_next == 0)
		return;
	log_event(LOG_EVENT_DETECTION_READ_BACK, "%zu of %llu audit records; what lies further back is forgotten",
		  finding_read_back(&context, core->detection), (unsigned long long)core->detection_next);
}

// What is kept in memory of the store.
static bool load(struct core *core, char detail[CORE_DETAIL_BYTES])
{
	const struct core_options *options = &core->options;
	struct store_others others = {.possible = false};
	const struct audit_options audit = {
		.store = options->store,
		.vault = options->vault,
		.key = options->log_key,
		.origin = options->log_origin,
		.broker_name = options->broker_name,
		.batch_max = options->batch_max,
	};
	const char *unreadable = NULL;
	if (options->store->ops->others(options->store, &others) != STORE_OK)
		unreadable = "the store cannot be read";
	else if (!audit_open(&audit, &core->audit, detail))
		return false;
	else if (!quarantine_new(options->store, options->vault, &core->quarantine) || !quarantine_load(core->quarantine))
		unreadable = "the quarantine list cannot be read: is this the store's key?";
	else if (!read_newest(core, detail) || !open_policy(core, detail))
		return false;
	else if (!roles_new(options->store, options->vault, core_policy(core), &core->roles) || !roles_load(core->roles))
		unreadable = "the role profiles cannot be read: is this the store's key?";
	else if (!enrolments_new(options->store, options->vault, &core->enrolments) || !enrolments_load(core->enrolments))
		unreadable = "the invitations to enrol cannot be read: is this the store's key?";
	else if (!witnessing_load(&core->witnessing, options->store, &core->arena))
		unreadable = "the witnessed checkpoint cannot be read";
	arena_reset(&core->arena);
	core->revision = others.revision;
	if (unreadable != NULL)
		snprintf(detail, CORE_DETAIL_BYTES, "%s", unreadable);
	return unreadable == NULL;
}

// All of it as of one moment: in a batch, while no other broker writes.
static bool load_in_turn(struct core *core, char detail[CORE_DETAIL_BYTES])
{
	struct store *store = core->options.store;
	if (store->ops->begin(store) != STORE_OK) {
		snprintf(detail, CORE_DETAIL_BYTES, "the store cannot be read");
		return false;
	}
	bool loaded = load(core, detail);
	store->ops->rollback(store);
	return loaded;
}

bool core_new(const struct core_options *options, struct core **ret, char detail[CORE_DETAIL_BYTES])
{
	struct core *core = calloc(1, sizeof *core);
	if (core == NULL || (core->slots = calloc(options->batch_max, sizeof *core->slots)) == NULL ||
	    !arena_init(&core->arena, BATCH_ARENA_BYTES) || !arena_init(&core->spare, ARENA_BYTES) ||
	    !rate_new(&core->rate) || !responders_new(&core->responders) || !works_new(&core->works) ||
	    !detection_new(options->batch_max, &core->detection) || !session_cache_new(&core->session_cache) || !traffic_new(&core->traffic)) {
		snprintf(detail, CORE_DETAIL_BYTES, "out of memory");
		core_free(core);
		return false;
	}
	core->options = *options;
	core->options.session_keys.cache = core->session_cache;
	if (!closed_sessions_new(options->store, options->vault, core->session_cache, &core->closed_sessions)) {
		snprintf(detail, CORE_DETAIL_BYTES, "out of memory");
		core_free(core);
		return false;
	}
	core->options.snapshot = register_retain(options->snapshot);
	snprintf(core->log.origin, sizeof core->log.origin, "%s", options->log_origin);
	signing_key_public(options->log_key, core->log.public_key);
	core->witnessing = (struct witnessing){.policy = options->witnesses != NULL ? options->witnesses : &no_witnesses,
					       .required_s = options->witness_required_s};
	if (!load_in_turn(core, detail)) {
		core_free(core);
		return false;
	}
	core_remember_again(core);
	*ret = core;
	return true;
}

void core_free(struct core *core)
{
	if (core == NULL)
		return;
	if (core->begun)
		core->options.store->ops->rollback(core->options.store);
	audit_free(core->audit);
	quarantine_free(core->quarantine);
	closed_sessions_free(core->closed_sessions);
	roles_free(core->roles);
	policy_in_force_free(core->in_force);
	rate_free(core->rate);
	enrolments_free(core->enrolments);
	responders_free(core->responders);
	works_free(core->works);
	detection_free(core->detection);
	session_cache_free(core->session_cache);
	traffic_free(core->traffic);
	register_release(core->options.snapshot);
	arena_done(&core->arena);
	arena_done(&core->spare);
	if (core->slots != NULL)
		explicit_bzero(core->slots, core->options.batch_max * sizeof *core->slots);
	free(core->slots);
	free(core);
}

void core_set_register(struct core *core, struct register_snapshot *snapshot)
{
	// Replies of a batch point into it.
	INVARIANT(core->slot_count == 0);
	take_register(core, register_retain(snapshot));
}

const struct policy *core_policy(const struct core *core)
{
	return policy_in_force_get(core->in_force);
}

struct register_snapshot *core_register(const struct core *core)
{
	return core->options.snapshot;
}

// ------------------------------------------------------------------ read

static enum reason decode(struct core *core, const struct core_arrival *arrival, Cpis__V1__Request **ret,
			  struct wire_error *error)
{
	memset(error, 0, sizeof *error);
	if (arrival->bytes > MESSAGE_BYTES_MAX)
		return REASON_TOO_LARGE;
	// A hostile message may not use up the room of the requests behind it.
	size_t full = core->arena.size, before = core->arena.used;
	if (full - before > ARENA_BYTES)
		core->arena.size = before + ARENA_BYTES;
	enum wire_status status = wire_request_decode(&core->arena, arrival->data, arrival->bytes, ret, error);
	core->arena.size = full;
	if (status == WIRE_OK)
		return REASON_NONE;
	core->arena.overflowed = false;
	return error->version_unsupported ? REASON_VERSION : REASON_MALFORMED;
}

static const uint8_t *request_id_of(struct core *core, const Cpis__V1__Request *request, const struct wire_error *error)
{
	if (request != NULL)
		return request->request_id.data;
	return error->has_request_id ? arena_copy(&core->arena, error->request_id, REQUEST_ID_BYTES) : NULL;
}

// ------------------------------------------------------------------ record

static void fill_person(struct core *core, struct op_context *context)
{
	const struct session *session = context->session;
	Cpis__V1__AuditDetail *detail = context->detail;
	if (session->uid[0] == '\0')
		return;
	const char *role_name = policy_role_name(core_policy(core), session->role_code);
	detail->uid = op_text(session->uid);
	detail->name = op_text(session->name);
	detail->role_code = op_text(session->role_code);
	detail->role_name = op_text(role_name == NULL ? "" : role_name);
	detail->session_id.len = sizeof session->id;
	detail->session_id.data = (uint8_t *)(uintptr_t)session->id;
	detail->staff_certificate_serial.len = session->staff_serial.bytes_count;
	detail->staff_certificate_serial.data = (uint8_t *)(uintptr_t)session->staff_serial.bytes;
}

// The sentence for people: the table's, with the place where a message could not be read.
static const char *reason_text(struct core *core, enum reason reason, const struct wire_error *error)
{
	if (reason != REASON_MALFORMED || error->status == WIRE_OK)
		return reason_sentence(reason);
	const char *text = error->field[0] == '\0'
				   ? arena_printf(&core->arena, "The message cannot be read: %s.",
						  wire_status_text(error->status))
				   : arena_printf(&core->arena, "The message cannot be read at %s: %s.", error->field,
						  wire_status_text(error->status));
	return text == NULL ? reason_sentence(reason) : text;
}

// For what the batch's end makes of this reply and its record.
static bool make_room(struct core *core, const struct op_context *context, const struct slot *slot)
{
	size_t reply_bytes = protobuf_c_message_get_packed_size(&slot->reply.base);
	if (!browser_proof_fit(&core->arena, reply_bytes, context->detail))
		return false;
	core->closing_bytes += reply_bytes + 2 * RECEIPT_ROOM_BYTES;
	if (context->detail->act_browser_proof != NULL)
		core->closing_bytes += protobuf_c_message_get_packed_size(&context->detail->act_browser_proof->base);
	// The record that is shown is read once more, and stands in the reply twice.
	if (slot->wants_proof)
		core->closing_bytes += 2 * reply_bytes;
	return true;
}

static bool record(struct core *core, struct op_context *context, const struct enrolled_system *system,
		   enum reason reason, const uint8_t *request_id, struct slot *slot)
{
	struct store_tag person;
	fill_person(core, context);
	if (context->detail->uid[0] != '\0')
		vault_tag_person(core->options.vault, context->detail->uid, &person);
	if (system != NULL) {
		context->detail->system_certificate_serial.len = system->identity.serial.bytes_count;
		context->detail->system_certificate_serial.data = (uint8_t *)(uintptr_t)system->identity.serial.bytes;
	}
	if (context->organisation != NULL)
		context->detail->organisation_name = op_text(context->organisation->name);
	struct audit_event event = {
		.time_ms = context->now_ms,
		.request_id = request_id,
		.operation = context->request == NULL ? CPIS__V1__OPERATION__OPERATION_UNSPECIFIED
						      : wire_operation(context->request),
		.reason = reason,
		.organisation = system == NULL ? "" : system->identity.organisation,
		.system_name = system == NULL ? "" : system->identity.name,
		.subject = context->has_subject ? &context->subject : NULL,
		.person = context->detail->uid[0] != '\0' ? &person : NULL,
		.policy_version = policy_version(core_policy(core)),
		.detail = context->detail,
	};
	if (!make_room(core, context, slot))
		return false;
	return finding_look(context, core->detection, system, reason) &&
	       audit_append(core->audit, &core->arena, &event, &slot->audit_index) == STORE_OK;
}

// ------------------------------------------------------------------ the batch

// Policy and register change together, between two batches: the replies of the one before are packed, and nothing of them
// points into either any more.
void core_change_policy(struct core *core)
{
	struct register_snapshot *snapshot = policy_in_force_committed(core->in_force);
	if (snapshot == NULL)
		return;
	take_register(core, snapshot);
	// Activities are numbered anew. If the profiles cannot be read now, they are before anybody is answered.
	roles_set_policy(core->roles, core_policy(core));
	core->suspect = !roles_load(core->roles) || core->suspect;
	core_remember_again(core);
	log_event(LOG_EVENT_POLICY_IN_FORCE, "%s", policy_version(core_policy(core)));
}

// What the disk kept of a commit that failed is not known, nor what another broker has changed.
bool core_reload_rights(struct core *core)
{
	char detail[POLICY_IN_FORCE_DETAIL_BYTES];
	size_t before = core->arena.used;
	// First: records are opened with them.
	if (!audit_keys_load(audit_keys_of(core->audit))) {
		log_trouble(LOG_EVENT_RIGHTS_UNREADABLE, RIGHTS_UNREADABLE);
		return false;
	}
	if (!policy_in_force_reload(core->in_force, detail)) {
		log_trouble(LOG_EVENT_POLICY_UNREADABLE, "%s", detail);
		return false;
	}
	core_change_policy(core);
	if (core->detection_next != audit_next_index(core->audit))
		core_remember_again(core);
	bool read = quarantine_load(core->quarantine) && roles_load(core->roles) &&
		    enrolments_load(core->enrolments) && witnessing_load(&core->witnessing, core->options.store, &core->arena);
	arena_rewind(&core->arena, before);
	if (!read)
		log_trouble(LOG_EVENT_RIGHTS_UNREADABLE, RIGHTS_UNREADABLE);
	return read;
}

static bool read_again(struct core *core)
{
	char detail[AUDIT_DETAIL_BYTES];
	if (audit_reload(core->audit, detail))
		return core_reload_rights(core);
	log_trouble(LOG_EVENT_AUDIT_LOG_UNUSABLE, "%s", detail);
	return false;
}

static bool begin(struct core *core, uint64_t now_ms)
{
	struct store *store = core->options.store;
	struct store_others others = {.possible = false};
	if (store->ops->others(store, &others) != STORE_OK || (core->suspect && !read_again(core)))
		return false;
	if (core->suspect)
		core->revision = others.revision;
	core->suspect = false;
	if (!core_take_others(core, &others))
		return false;
	core_wake_for_others(core, now_ms);
	return store->ops->request_expire(store, now_ms) == STORE_OK;
}

void core_begin(struct core *core, uint64_t now_ms)
{
	struct store *store = core->options.store;
	if (core->begun || core->doomed)
		return;
	traffic_start(core->traffic, now_ms);
	core->begun = store->ops->begin(store) == STORE_OK && begin(core, now_ms);
	core->doomed = !core->begun;
	if (!core->doomed)
		return;
	// Another broker is not to wait until this one has told its senders.
	store->ops->rollback(store);
	core->suspect = true;
}

_Static_assert((unsigned)REASONS <= TRAFFIC_REASONS, "each is counted");

static void count(struct core *core, enum reason reason)
{
	core->counters.requests++;
	if (reason == REASON_NONE)
		core->counters.allowed++;
	else if (reason_outcome(reason) == CPIS__V1__OUTCOME__MESSAGE_NOT_WELL_FORMED)
		core->counters.malformed++;
	else
		core->counters.refused++;
}

struct op_context core_context(struct core *core, uint64_t now_ms)
{
	return (struct op_context){
		.policy = core_policy(core),
		.in_force = core->in_force,
		.snapshot = core->options.snapshot,
		.store = core->options.store,
		.vault = core->options.vault,
		.session_keys = &core->options.session_keys,
		.audit = core->audit,
		.log = &core->log,
		.witnessing = &core->witnessing,
		.quarantine = core->quarantine,
		.closed_sessions = core->closed_sessions,
		.roles = core->roles,
		.rate = core->rate,
		.enrolments = core->enrolments,
		.responders = core->responders,
		.works = core->works,
		.sample_looked_ms = &core->sample_looked_ms,
		.retention = &core->retention,
		.traffic = core->traffic,
		.waiting = &core->waiting,
		.certificate_until_ms = core->options.certificate_until_ms,
		.broker_name = core->options.broker_name,
		.now_ms = now_ms,
		.arena = &core->arena,
		.audit_index = audit_next_index(core->audit),
		.wakes = &core->wakes,
	};
}

// When the same may be asked again; 0: there is no such time.
static uint32_t retry_after_ms(Cpis__V1__Outcome outcome, enum reason reason)
{
	if (outcome == CPIS__V1__OUTCOME__TOO_MANY_REQUESTS)
		return RETRY_RATE_MS;
	// Another service is not back within a moment.
	if (reason == REASON_DEMOGRAPHICS || reason == REASON_LOG_UNWITNESSED)
		return RETRY_OTHERS_MS;
	return outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE ? RETRY_AFTER_MS : 0;
}

// False: it was parked.
static bool take(struct core *core, const struct core_arrival *arrival, uint64_t now_ms, struct slot *slot)
{
	struct wire_error error;
	Cpis__V1__Request *request = NULL;
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	enum reason reason = decode(core, arrival, &request, &error);
	const uint8_t *request_id = request_id_of(core, request, &error);
	if (request_id != NULL) {
		slot->reply.request_id.len = REQUEST_ID_BYTES;
		slot->reply.request_id.data = (uint8_t *)(uintptr_t)request_id;
	}
	slot->operation = request == NULL ? CPIS__V1__OPERATION__OPERATION_UNSPECIFIED : wire_operation(request);
	if (core->doomed)
		return true;
	// On the enrolment endpoint a key is a key and nobody's, whether or not somebody enrolled it.
	bool known = arrival->channel_key != NULL && !arrival->enrolling;
	const struct enrolled_system *system =
		known ? register_system(core->options.snapshot, arrival->channel_key) : NULL;
	struct op_context context = core_context(core, now_ms);
	context.request = request;
	context.channel_key = arrival->channel_key;
	context.system_name = system == NULL ? "" : system->identity.name;
	context.web_host = system == NULL ? "" : system->identity.web_host;
	context.enrolling = arrival->enrolling;
	context.session = &slot->session;
	context.reply = &slot->reply;
	context.detail = &detail;
	if (request != NULL) {
		detail.caller_request_id = request->caller_request_id;
		detail.caller_correlation_id = request->caller_correlation_id;
	}
	context.resumed = arrival->resumed;
	context.may_wait = arrival->may_wait;
	context.ticket = arrival->ticket;
	context.waited_ms = arrival->waited_ms;
	// Who is asking comes before what is asked: a system that may not talk to us learns nothing else.
	enum reason standing = arrival->enrolling
				       ? (arrival->channel_key == NULL ? REASON_SYSTEM_UNKNOWN : REASON_NONE)
				       : request_standing(core->options.snapshot, core->quarantine, system, now_ms);
	if (standing != REASON_NONE)
		reason = standing;
	else if (reason == REASON_NONE)
		reason = request_process(&context, arrival->waited_ms);
	if (reason == REASON_PARKED) {
		INVARIANT(arrival->may_wait && context.wait.key != 0 && request_id != NULL);
		core->wait = context.wait;
		memcpy(core->wait.request_id, request_id, REQUEST_ID_BYTES);
		return false;
	}
	count(core, reason);
	slot->reason = reason;
	if (reason == REASON_STORE) {
		core->doomed = true;
		return true;
	}
	slot->reply.outcome = reason_outcome(reason);
	slot->reply.reason_code = op_text(reason_word(reason));
	slot->reply.reason = op_text(context.refusal != NULL && reason != REASON_NONE ? context.refusal
										     : reason_text(core, reason, &error));
	if (reason != REASON_NONE) {
		slot->reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
		detail.reason = context.recorded_reason == NULL ? slot->reply.reason : op_text(context.recorded_reason);
	}
	slot->reply.retry_after_ms = retry_after_ms(slot->reply.outcome, reason);
	slot->log_size = request == NULL ? 0 : request->log_size;
	if (request != NULL) {
		detail.trace_id = request->trace_id;
		detail.trace_parent_id = request->trace_parent_id;
	}
	slot->wants_proof = reason == REASON_NONE && context.wants_proof;
	slot->proof_index = context.proof_index;
	if (!record(core, &context, system, reason, request_id, slot))
		core->doomed = true;
	return true;
}

enum core_submitted core_submit(struct core *core, const struct core_arrival *arrival, uint64_t now_ms)
{
	if (core->slot_count == core->options.batch_max ||
	    (core->slot_count > 0 &&
	     core->arena.size - core->arena.used < REQUEST_ROOM_BYTES + core->closing_bytes))
		return CORE_FULL;
	core_begin(core, now_ms);
	struct slot *slot = &core->slots[core->slot_count++];
	memset(slot, 0, sizeof *slot);
	cpis__v1__reply__init(&slot->reply);
	slot->reply.protocol_version = PROTOCOL_VERSION;
	if (!take(core, arrival, now_ms, slot)) {
		explicit_bzero(slot, sizeof *slot);
		core->slot_count--;
		return CORE_PARKED;
	}
	return CORE_TAKEN;
}

struct wait core_wait(const struct core *core)
{
	return core->wait;
}

struct wakes *core_wakes(struct core *core)
{
	return &core->wakes;
}

uint64_t core_log_size(const struct core *core)
{
	return audit_next_index(core->audit);
}

size_t core_pending(const struct core *core)
{
	return core->slot_count;
}

// ------------------------------------------------------------------ commit and answer

static bool pack(struct slot *slot, struct arena *arena)
{
	slot->packed = wire_pack(arena, &slot->reply.base, &slot->packed_bytes);
	return slot->packed != NULL && slot->packed_bytes <= MESSAGE_BYTES_MAX;
}

static bool close_slot(struct core *core, struct slot *slot)
{
	slot->reply.receipt = audit_receipt(core->audit, &core->arena, slot->audit_index);
	if (slot->reply.receipt == NULL ||
	    !audit_prove_growth(core->audit, &core->arena, slot->log_size, slot->reply.receipt))
		return false;
	if (slot->wants_proof) {
		slot->reply.audit_show->proof = audit_receipt(core->audit, &core->arena, slot->proof_index);
		if (slot->reply.audit_show->proof == NULL)
			return false;
	}
	return pack(slot, &core->arena);
}

static bool commit(struct core *core)
{
	if (core->doomed || audit_close_batch(core->audit) != STORE_OK)
		return false;
	for (size_t i = 0; i < core->slot_count; i++)
		if (!close_slot(core, &core->slots[i]))
			return false;
	return core->options.store->ops->commit(core->options.store) == STORE_OK;
}

// Keeps the request id and nothing else.
static void make_unavailable(Cpis__V1__Reply *reply, enum reason reason)
{
	ProtobufCBinaryData request_id = reply->request_id;
	cpis__v1__reply__init(reply);
	reply->protocol_version = PROTOCOL_VERSION;
	reply->request_id = request_id;
	reply->outcome = reason_outcome(reason);
	reply->reason_code = op_text(reason_word(reason));
	reply->reason = op_text(reason_sentence(reason));
	reply->retry_after_ms = RETRY_AFTER_MS;
}

static void roll_back(struct core *core)
{
	if (core->begun)
		core->options.store->ops->rollback(core->options.store);
	audit_abandoned(core->audit);
	closed_sessions_distrust(core->closed_sessions);
	policy_in_force_abandoned(core->in_force);
	// What was registered, taken and answered in this batch has no record: as after a restart, responders begin anew.
	responders_forget(core->responders);
	works_forget(core->works);
	detection_abandoned(core->detection);
	core->suspect = true;
	core->counters.failed_commits++;
}

static void give_up(struct core *core)
{
	roll_back(core);
	log_trouble(LOG_EVENT_COMMIT_FAILED, "requests that could not be recorded were not answered; their senders are told to try again");
	arena_reset(&core->spare);
	for (size_t i = 0; i < core->slot_count; i++) {
		struct slot *slot = &core->slots[i];
		make_unavailable(&slot->reply, slot->reason = REASON_STORE);
		// 1,024 refusals of some 200 bytes fit the spare arena.
		INVARIANT(pack(slot, &core->spare));
	}
}

static void committed(struct core *core, uint64_t now_ms)
{
	audit_committed(core->audit);
	detection_committed(core->detection);
	core->detection_next = audit_next_index(core->audit);
	core->counters.commits++;
	log_mended();
	watch_clock(core, now_ms);
}

bool core_end(struct core *core, uint64_t now_ms)
{
	bool done = commit(core);
	if (done) {
		committed(core, now_ms);
	} else {
		roll_back(core);
		traffic_commit(core->traffic, 0, false, now_ms);
	}
	core->begun = core->doomed = false;
	arena_reset(&core->arena);
	return done;
}

bool core_flush(struct core *core, uint64_t now_ms)
{
	if (core->slot_count == 0) {
		// Nothing but requests that were parked, which have written nothing.
		if (core->begun)
			core->options.store->ops->rollback(core->options.store);
		core->begun = core->doomed = false;
		return true;
	}
	bool done = commit(core);
	if (done) {
		committed(core, now_ms);
		core_change_policy(core);
	} else {
		give_up(core);
	}
	traffic_commit(core->traffic, core->slot_count, done, now_ms);
	for (size_t i = 0; i < core->slot_count; i++)
		traffic_count(core->traffic, core->slots[i].operation, core->slots[i].reason, now_ms);
	core->begun = core->doomed = false;
	return done;
}

// ------------------------------------------------------------------ the replies

void core_reply(const struct core *core, size_t number, const uint8_t **ret_data, size_t *ret_bytes)
{
	INVARIANT(number < core->slot_count);
	*ret_data = core->slots[number].packed;
	*ret_bytes = core->slots[number].packed_bytes;
}

void core_clear(struct core *core)
{
	explicit_bzero(core->slots, core->slot_count * sizeof *core->slots);
	core->slot_count = 0;
	core->closing_bytes = 0;
	arena_reset(&core->arena);
	arena_reset(&core->spare);
}

struct traffic *core_traffic(struct core *core)
{
	return core->traffic;
}

struct core_counters core_read_counters(const struct core *core)
{
	return core->counters;
}
