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

uint64_t retention_due_ms(const struct policy *policy, const struct audit_key *key)
{
	unsigned months = months_of(policy_retention(policy), key->record_class);
	return months == 0 ? 0 : month_start_ms(key->month + 1 + months);
}
