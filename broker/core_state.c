// What the core keeps in memory of the store: read at its start, and again when a commit that failed or another broker has left it
// unknown.
#include "broker/core_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/finding.h"
#include "broker/log.h"
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

// ------------------------------------------------------------------ read again

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

bool core_read_again(struct core *core)
{
	char detail[AUDIT_DETAIL_BYTES];
	if (audit_reload(core->audit, detail))
		return core_reload_rights(core);
	log_trouble(LOG_EVENT_AUDIT_LOG_UNUSABLE, "%s", detail);
	return false;
}
