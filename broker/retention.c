// When keys are due.
#include "broker/retention.h"

#include "proto/date.h"

static unsigned months_of(const struct policy_retention *retention, enum audit_class record_class)
{
	switch (record_class) {
	case AUDIT_CLASS_CHILD:
		return retention->child;
	case AUDIT_CLASS_STAFF:
		return retention->staff;
	case AUDIT_CLASS_SERVICE:
		return retention->service;
	default:
		// As long as either of the classes that it finds.
		if (retention->child == 0 || retention->staff == 0)
			return 0;
		return retention->child > retention->staff ? retention->child : retention->staff;
	}
}

// Ids are in the order in which keys were first used.
static uint32_t month_of_use(const struct audit_keys *keys, const struct audit_key *key)
{
	uint32_t month = key->month;
	for (size_t i = 0; i < audit_keys_count(keys); i++) {
		const struct audit_key *other = audit_keys_at(keys, i);
		if (other->id < key->id && other->month > month)
			month = other->month;
	}
	return month;
}

uint64_t retention_due_ms(const struct policy *policy, const struct audit_keys *keys, const struct audit_key *key)
{
	unsigned months = months_of(policy_retention(policy), key->record_class);
	return months == 0 ? 0 : month_start_ms(month_of_use(keys, key) + 1 + months);
}
