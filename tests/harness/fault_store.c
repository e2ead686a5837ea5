// Forwards each call to the real store, unless it is this one's turn to fail.
#include "tests/harness/fault_store.h"

static struct fault_store *of(struct store *store)
{
	return (struct fault_store *)store;
}

static bool fails(struct fault_store *fault)
{
	return ++fault->calls == fault->fail_at;
}

#define FORWARD(name, parameters, arguments)                                                         \
	static enum store_status fault_##name parameters                                             \
	{                                                                                            \
		struct fault_store *fault = of(store);                                               \
		return fails(fault) ? STORE_FAILED : fault->real->ops->name arguments;               \
	}

FORWARD(begin, (struct store *store), (fault->real))
FORWARD(others, (struct store *store, struct store_others *ret), (fault->real, ret))
FORWARD(plan_put, (struct store *store, const struct store_plan *row), (fault->real, row))
FORWARD(plan_get,
	(struct store *store, const struct store_tag *slot, uint64_t generation, struct arena *arena, struct store_plan *ret),
	(fault->real, slot, generation, arena, ret))
FORWARD(plan_delete, (struct store *store, const struct store_tag *slot, uint64_t generation),
	(fault->real, slot, generation))
FORWARD(plans_in,
	(struct store *store, const struct ods_code *authority, const struct store_plan_place *after, uint64_t until, size_t max,
	 struct arena *arena, struct store_plan **ret, size_t *ret_count),
	(fault->real, authority, after, until, max, arena, ret, ret_count))
FORWARD(plans_of,
	(struct store *store, const struct store_tag *subject, size_t max, struct arena *arena, struct store_plan **ret,
	 size_t *ret_count),
	(fault->real, subject, max, arena, ret, ret_count))
FORWARD(access_put, (struct store *store, const struct store_access *row), (fault->real, row))
FORWARD(access_delete, (struct store *store, const struct store_tag *subject, uint64_t index), (fault->real, subject, index))
FORWARD(audit_key_put, (struct store *store, const struct store_audit_key *row), (fault->real, row))
FORWARD(audit_key_destroy, (struct store *store, uint32_t id, uint64_t now_ms), (fault->real, id, now_ms))
FORWARD(audit_key_all,
	(struct store *store, size_t max, struct arena *arena, struct store_audit_key **ret, size_t *ret_count),
	(fault->real, max, arena, ret, ret_count))
FORWARD(hold_put, (struct store *store, const struct store_hold *row), (fault->real, row))
FORWARD(hold_delete, (struct store *store, const struct store_tag *name), (fault->real, name))
FORWARD(hold_all, (struct store *store, size_t max, struct arena *arena, struct store_hold **ret, size_t *ret_count),
	(fault->real, max, arena, ret, ret_count))
FORWARD(accesses_of,
	(struct store *store, const struct store_tag *subject, bool with_silent, uint64_t before_index, size_t max,
	 struct arena *arena, struct store_access **ret, size_t *ret_count),
	(fault->real, subject, with_silent, before_index, max, arena, ret, ret_count))
FORWARD(inbox_next_id, (struct store *store, enum store_box box, const struct ods_code *organisation, uint64_t *ret),
	(fault->real, box, organisation, ret))
FORWARD(inbox_put, (struct store *store, const struct store_inbox_item *row), (fault->real, row))
FORWARD(inbox_update, (struct store *store, const struct store_inbox_item *row), (fault->real, row))
FORWARD(inbox_free,
	(struct store *store, enum store_box box, const struct ods_code *organisation, uint64_t after_id, uint64_t now_ms, size_t max,
	 struct arena *arena, struct store_inbox_item **ret, size_t *ret_count),
	(fault->real, box, organisation, after_id, now_ms, max, arena, ret, ret_count))
FORWARD(inbox_next_free,
	(struct store *store, enum store_box box, const struct ods_code *organisation, uint64_t now_ms, uint64_t *ret),
	(fault->real, box, organisation, now_ms, ret))
FORWARD(inbox_due,
	(struct store *store, enum store_box box, uint64_t now_ms, size_t max, struct arena *arena, struct store_inbox_item **ret,
	 size_t *ret_count),
	(fault->real, box, now_ms, max, arena, ret, ret_count))
FORWARD(inbox_latest,
	(struct store *store, enum store_box box, const struct ods_code *organisation, uint64_t before_ms, uint64_t but_kind,
	 uint64_t *ret),
	(fault->real, box, organisation, before_ms, but_kind, ret))
FORWARD(reported_put, (struct store *store, const struct store_reported *row), (fault->real, row))
FORWARD(reported_get, (struct store *store, struct store_reported *ret), (fault->real, ret))
FORWARD(inbox_list,
	(struct store *store, enum store_box box, const struct ods_code *organisation, uint64_t after_id, bool all, size_t max,
	 struct arena *arena, struct store_inbox_item **ret, size_t *ret_count),
	(fault->real, box, organisation, after_id, all, max, arena, ret, ret_count))
FORWARD(inbox_get,
	(struct store *store, enum store_box box, const struct ods_code *organisation, uint64_t id, struct arena *arena,
	 struct store_inbox_item *ret),
	(fault->real, box, organisation, id, arena, ret))
FORWARD(inbox_acknowledge,
	(struct store *store, enum store_box box, const struct ods_code *organisation, uint64_t id, uint64_t now_ms, struct store_blob by),
	(fault->real, box, organisation, id, now_ms, by))
FORWARD(inbox_unacknowledged, (struct store *store, enum store_box box, const struct ods_code *organisation, uint64_t *ret),
	(fault->real, box, organisation, ret))
FORWARD(inbox_waiting, (struct store *store, const uint64_t since_ms[STORE_AGES - 1], uint32_t max, struct store_waiting *ret),
	(fault->real, since_ms, max, ret))
FORWARD(authority_put, (struct store *store, const struct store_authority *row), (fault->real, row))
FORWARD(authority_get,
	(struct store *store, const struct ods_code *organisation, struct arena *arena, struct store_authority *ret),
	(fault->real, organisation, arena, ret))
FORWARD(authority_due, (struct store *store, struct arena *arena, struct store_authority *ret), (fault->real, arena, ret))
FORWARD(rejection_put, (struct store *store, const struct store_rejection *row), (fault->real, row))
FORWARD(rejections_of,
	(struct store *store, const struct ods_code *authority, uint64_t generation, uint64_t from_place, size_t max,
	 struct arena *arena, struct store_rejection **ret, size_t *ret_count),
	(fault->real, authority, generation, from_place, max, arena, ret, ret_count))
FORWARD(rejection_since, (struct store *store, const struct store_rejection *like, uint64_t *ret),
	(fault->real, like, ret))
FORWARD(rejection_counts,
	(struct store *store, const struct ods_code *authority, uint64_t generation, size_t max, struct arena *arena,
	 struct store_rejection_count **ret, size_t *ret_count),
	(fault->real, authority, generation, max, arena, ret, ret_count))
FORWARD(rejection_expire,
	(struct store *store, const struct ods_code *authority, const uint64_t keep[2], size_t max, size_t *ret_removed),
	(fault->real, authority, keep, max, ret_removed))
FORWARD(quarantine_put, (struct store *store, const struct store_quarantine *row), (fault->real, row))
FORWARD(quarantine_delete, (struct store *store, const struct store_tag *target), (fault->real, target))
FORWARD(quarantine_all,
	(struct store *store, size_t max, struct arena *arena, struct store_quarantine **ret, size_t *ret_count),
	(fault->real, max, arena, ret, ret_count))
FORWARD(inactive_put, (struct store *store, const struct store_inactive *row), (fault->real, row))
FORWARD(inactive_get,
	(struct store *store, const struct store_tag *subject, struct arena *arena, struct store_inactive *ret),
	(fault->real, subject, arena, ret))
FORWARD(inactive_delete, (struct store *store, const struct store_tag *subject), (fault->real, subject))
FORWARD(enrolment_put, (struct store *store, const struct store_enrolment *row), (fault->real, row))
FORWARD(enrolment_delete, (struct store *store, const struct store_tag *system), (fault->real, system))
FORWARD(enrolment_all,
	(struct store *store, size_t max, struct arena *arena, struct store_enrolment **ret, size_t *ret_count),
	(fault->real, max, arena, ret, ret_count))
FORWARD(role_put, (struct store *store, const struct store_role *row), (fault->real, row))
FORWARD(role_all,
	(struct store *store, size_t max, struct arena *arena, struct store_role **ret, size_t *ret_count),
	(fault->real, max, arena, ret, ret_count))
FORWARD(role_use_put, (struct store *store, const struct store_tag *profile, uint64_t used_ms),
	(fault->real, profile, used_ms))
FORWARD(role_use_get, (struct store *store, const struct store_tag *profile, uint64_t *ret),
	(fault->real, profile, ret))
FORWARD(policy_put, (struct store *store, struct store_blob sealed), (fault->real, sealed))
FORWARD(policy_get, (struct store *store, struct arena *arena, struct store_blob *ret), (fault->real, arena, ret))
FORWARD(request_put, (struct store *store, const struct store_request *row), (fault->real, row))
FORWARD(request_get,
	(struct store *store, const struct store_tag *key, uint64_t now_ms, struct arena *arena,
	 struct store_request *ret),
	(fault->real, key, now_ms, arena, ret))
FORWARD(request_expire, (struct store *store, uint64_t now_ms), (fault->real, now_ms))
FORWARD(audit_append, (struct store *store, const struct store_audit *row), (fault->real, row))
FORWARD(audit_get, (struct store *store, uint64_t index, struct arena *arena, struct store_audit *ret),
	(fault->real, index, arena, ret))
FORWARD(audit_node, (struct store *store, uint64_t index, unsigned height, struct merkle_hash *ret),
	(fault->real, index, height, ret))
FORWARD(audit_search,
	(struct store *store, const struct store_audit_range *range, struct arena *arena, struct store_audit **ret,
	 size_t *ret_count),
	(fault->real, range, arena, ret, ret_count))
FORWARD(audit_size, (struct store *store, uint64_t *ret), (fault->real, ret))
FORWARD(checkpoint_put, (struct store *store, const char *note), (fault->real, note))
FORWARD(checkpoint_get, (struct store *store, struct arena *arena, const char **ret), (fault->real, arena, ret))
FORWARD(heard_put, (struct store *store, const struct store_heard *row), (fault->real, row))
FORWARD(heard_after,
	(struct store *store, uint64_t after, size_t max, struct arena *arena, struct store_heard **ret, size_t *ret_count),
	(fault->real, after, max, arena, ret, ret_count))
FORWARD(heard_largest, (struct store *store, struct arena *arena, struct store_heard *ret), (fault->real, arena, ret))
FORWARD(heard_expire, (struct store *store, size_t keep), (fault->real, keep))
FORWARD(cosigned_put, (struct store *store, enum store_cosigned_which which, const struct store_cosigned *row),
	(fault->real, which, row))
FORWARD(cosigned_get,
	(struct store *store, enum store_cosigned_which which, struct arena *arena, struct store_cosigned *ret),
	(fault->real, which, arena, ret))

static enum store_status fault_commit(struct store *store)
{
	struct fault_store *fault = of(store);
	if (fails(fault) || fault->commit == FAULT_COMMIT_FAILS)
		return STORE_FAILED;
	enum store_status status = fault->real->ops->commit(fault->real);
	return fault->commit == FAULT_COMMIT_LIES ? STORE_FAILED : status;
}

static void fault_rollback(struct store *store)
{
	of(store)->real->ops->rollback(of(store)->real);
}

// The real store has an owner of its own.
static void fault_close(struct store *store)
{
	(void)store;
}

static const struct store_ops fault_ops = {
	.name = "faulty",
	.begin = fault_begin,
	.commit = fault_commit,
	.rollback = fault_rollback,
	.close = fault_close,
	.others = fault_others,
	.plan_put = fault_plan_put,
	.plan_get = fault_plan_get,
	.plan_delete = fault_plan_delete,
	.plans_in = fault_plans_in,
	.plans_of = fault_plans_of,
	.access_put = fault_access_put,
	.access_delete = fault_access_delete,
	.audit_key_put = fault_audit_key_put,
	.audit_key_destroy = fault_audit_key_destroy,
	.audit_key_all = fault_audit_key_all,
	.hold_put = fault_hold_put,
	.hold_delete = fault_hold_delete,
	.hold_all = fault_hold_all,
	.accesses_of = fault_accesses_of,
	.inbox_next_id = fault_inbox_next_id,
	.inbox_put = fault_inbox_put,
	.inbox_update = fault_inbox_update,
	.inbox_free = fault_inbox_free,
	.inbox_next_free = fault_inbox_next_free,
	.inbox_due = fault_inbox_due,
	.inbox_latest = fault_inbox_latest,
	.reported_put = fault_reported_put,
	.reported_get = fault_reported_get,
	.inbox_list = fault_inbox_list,
	.inbox_get = fault_inbox_get,
	.inbox_acknowledge = fault_inbox_acknowledge,
	.inbox_waiting = fault_inbox_waiting,
	.inbox_unacknowledged = fault_inbox_unacknowledged,
	.authority_put = fault_authority_put,
	.authority_get = fault_authority_get,
	.authority_due = fault_authority_due,
	.rejection_put = fault_rejection_put,
	.rejections_of = fault_rejections_of,
	.rejection_since = fault_rejection_since,
	.rejection_counts = fault_rejection_counts,
	.rejection_expire = fault_rejection_expire,
	.quarantine_put = fault_quarantine_put,
	.quarantine_delete = fault_quarantine_delete,
	.quarantine_all = fault_quarantine_all,
	.inactive_put = fault_inactive_put,
	.inactive_get = fault_inactive_get,
	.inactive_delete = fault_inactive_delete,
	.enrolment_put = fault_enrolment_put,
	.enrolment_delete = fault_enrolment_delete,
	.enrolment_all = fault_enrolment_all,
	.role_put = fault_role_put,
	.role_all = fault_role_all,
	.role_use_put = fault_role_use_put,
	.role_use_get = fault_role_use_get,
	.policy_put = fault_policy_put,
	.policy_get = fault_policy_get,
	.request_put = fault_request_put,
	.request_get = fault_request_get,
	.request_expire = fault_request_expire,
	.audit_append = fault_audit_append,
	.audit_get = fault_audit_get,
	.audit_node = fault_audit_node,
	.audit_search = fault_audit_search,
	.audit_size = fault_audit_size,
	.checkpoint_put = fault_checkpoint_put,
	.checkpoint_get = fault_checkpoint_get,
	.heard_put = fault_heard_put,
	.heard_after = fault_heard_after,
	.heard_largest = fault_heard_largest,
	.heard_expire = fault_heard_expire,
	.cosigned_put = fault_cosigned_put,
	.cosigned_get = fault_cosigned_get,
};

void fault_store_init(struct fault_store *fault, struct store *real)
{
	*fault = (struct fault_store){.store = {.ops = &fault_ops}, .real = real};
}

void fault_store_mend(struct fault_store *fault)
{
	fault->calls = fault->fail_at = 0;
	fault->commit = FAULT_COMMIT_HONEST;
}
