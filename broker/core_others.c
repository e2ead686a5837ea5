// What other brokers on the same store have done since this one's last batch, taken into its memory before anybody is answered: what they
// granted, held back and put in force, and what they recorded. So detection and the bounds on how often count what was asked of all.
#include "broker/core_priv.h"

#include "broker/finding.h"
#include "broker/log.h"

#define PAGE 256u // records that are read at a time: they fit the batch's arena
#define WAKE_MS 500u

// What the policy's bound on a member of staff counts (request.c): what was allowed, whatever came of it. The bound on a system goes by
// its key, which no record has, and is counted by each broker.
static bool counts_for_rate(const Cpis__V1__AuditEntry *entry)
{
	return entry->request_id.len != 0 && !entry->erased && entry->detail->uid[0] != '\0' &&
	       entry->outcome != CPIS__V1__OUTCOME__ACCESS_DENIED && entry->outcome != CPIS__V1__OUTCOME__MESSAGE_NOT_WELL_FORMED &&
	       entry->outcome != CPIS__V1__OUTCOME__TOO_MANY_REQUESTS;
}

// Elsewhere somebody signed out.
static void take_closed(struct core *core, const Cpis__V1__AuditEntry *entry)
{
	if (entry->operation == CPIS__V1__OPERATION__SESSION_CLOSE && entry->outcome == CPIS__V1__OUTCOME__OK && !entry->erased &&
	    entry->detail->session_id.len == SESSION_ID_BYTES)
		closed_sessions_take(core->closed_sessions, entry->detail->session_id.data, entry->time_ms);
}

static bool take_record(struct core *core, const struct op_context *context, const struct store_audit *row)
{
	size_t before = core->arena.used;
	if (!audit_follow(core->audit, row))
		return false;
	core->detection_next = row->index + 1;
	core->newest_ms = row->time_ms > core->newest_ms ? row->time_ms : core->newest_ms;
	const Cpis__V1__AuditEntry *entry = audit_entry(core->audit, &core->arena, row);
	if (entry != NULL) {
		take_closed(core, entry);
		finding_remember(context, core->detection, row, entry);
		if (counts_for_rate(entry))
			rate_add(core->rate, RATE_PERSON, entry->detail->uid, entry->operation, entry->time_ms);
	}
	arena_rewind(&core->arena, before);
	return true;
}

static bool take_records(struct core *core, const struct store_others *others)
{
	struct op_context context = core_context(core, core->newest_ms);
	size_t before = core->arena.used;
	bool taken = true;
	while (taken && audit_next_index(core->audit) < others->audit_size) {
		struct store_audit *rows = NULL;
		size_t count = 0;
		taken = audit_page(core->audit, audit_next_index(core->audit), others->audit_size, PAGE, &core->arena, &rows, &count) ==
				STORE_OK &&
			count > 0;
		for (size_t i = 0; taken && i < count; i++)
			taken = take_record(core, &context, &rows[i]);
		arena_rewind(&core->arena, before);
	}
	return taken;
}

static bool follow(struct core *core, const struct store_others *others)
{
	char detail[AUDIT_DETAIL_BYTES] = "the audit log's rows cannot be read: run `cpis audit verify`";
	bool followed;
	if (others->audit_size > audit_next_index(core->audit) + FINDING_READ_BACK_MAX) {
		closed_sessions_distrust(core->closed_sessions);
		followed = audit_reload(core->audit, detail);
		core->suspect = !followed;
		if (followed)
			core_remember_again(core);
	} else {
		followed = take_records(core, others) && audit_followed(core->audit, others->checkpoint, detail);
	}
	if (!followed)
		log_trouble(LOG_EVENT_AUDIT_LOG_UNUSABLE, "%s", detail);
	core->others_wrote = true;
	return followed;
}

bool core_take_others(struct core *core, const struct store_others *others)
{
	if (!others->possible)
		return true;
	if (others->revision != core->revision && !core_reload_rights(core))
		return false;
	core->revision = others->revision;
	return audit_is_at(core->audit, others->audit_size, others->checkpoint) || follow(core, others);
}

// An inbox may have something new for those that wait. Which one is in no record; so that a busy neighbour does not have each of them
// looked after at each of its commits, they are all woken, but not that often.
void core_wake_for_others(struct core *core, uint64_t now_ms)
{
	if (!core->others_wrote || (now_ms >= core->others_woken_ms && now_ms - core->others_woken_ms < WAKE_MS))
		return;
	core->others_wrote = false;
	core->others_woken_ms = now_ms;
	core->wakes.everybody = true;
}
