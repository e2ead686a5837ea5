// The pipeline every request goes through: identify, decide, carry out, record, commit, answer.
#include "broker/core_priv.h"

#include <string.h>

#include "broker/log.h"
#include "broker/request.h"
#include "proto/invariant.h"

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

// ------------------------------------------------------------------ the batch

static bool begin(struct core *core, uint64_t now_ms)
{
	struct store *store = core->options.store;
	struct store_others others = {.possible = false};
	if (store->ops->others(store, &others) != STORE_OK || (core->suspect && !core_read_again(core)))
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

static struct op_context context_of(struct core *core, const struct core_arrival *arrival, const Cpis__V1__Request *request,
				    const struct enrolled_system *system, uint64_t now_ms)
{
	struct op_context context = core_context(core, now_ms);
	context.request = request;
	context.channel_key = arrival->channel_key;
	context.system_name = system == NULL ? "" : system->identity.name;
	context.web_host = system == NULL ? "" : system->identity.web_host;
	context.enrolling = arrival->enrolling;
	context.resumed = arrival->resumed;
	context.may_wait = arrival->may_wait;
	context.ticket = arrival->ticket;
	context.waited_ms = arrival->waited_ms;
	return context;
}

// The reply but for its receipt, and what the record says of it.
static void answer(struct core *core, const struct op_context *context, enum reason reason, const struct wire_error *error,
		   struct slot *slot)
{
	const Cpis__V1__Request *request = context->request;
	Cpis__V1__AuditDetail *detail = context->detail;
	slot->reply.outcome = reason_outcome(reason);
	slot->reply.reason_code = op_text(reason_word(reason));
	slot->reply.reason = op_text(context->refusal != NULL && reason != REASON_NONE ? context->refusal
										       : reason_text(core, reason, error));
	if (reason != REASON_NONE) {
		slot->reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
		detail->reason = context->recorded_reason == NULL ? slot->reply.reason : op_text(context->recorded_reason);
	}
	slot->reply.retry_after_ms = retry_after_ms(slot->reply.outcome, reason);
	slot->log_size = request == NULL ? 0 : request->log_size;
	if (request != NULL) {
		detail->caller_request_id = request->caller_request_id;
		detail->caller_correlation_id = request->caller_correlation_id;
		detail->trace_id = request->trace_id;
		detail->trace_parent_id = request->trace_parent_id;
	}
	slot->wants_proof = reason == REASON_NONE && context->wants_proof;
	slot->proof_index = context->proof_index;
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
	struct op_context context = context_of(core, arrival, request, system, now_ms);
	context.session = &slot->session;
	context.reply = &slot->reply;
	context.detail = &detail;
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
	answer(core, &context, reason, &error, slot);
	if (!core_record(core, &context, system, reason, request_id, slot))
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
