// A stored record against itself.
#include "clients/cli/log_row.h"

#include <string.h>

static bool is(struct log_bytes stored, struct wire_value wanted)
{
	return stored.bytes == wanted.bytes && (stored.bytes == 0 || memcmp(stored.data, wanted.data, stored.bytes) == 0);
}

// What is left out is NULL in its column, not empty.
static bool tag_is(struct log_bytes stored, struct wire_value wanted)
{
	return (stored.data == NULL) == (wanted.bytes == 0) && is(stored, wanted);
}

const char *log_row_read(const struct log_row *row, struct audit_record_keys *ret)
{
	struct wire_error error;
	if (audit_record_read_keys(row->record.data, row->record.bytes, ret, &error) != WIRE_OK)
		return "it cannot be read as an audit record";
	if (ret->index != row->index)
		return "it carries another record's number";
	return NULL;
}

const char *log_row_compare(const struct log_row *row, const struct audit_record_keys *keys)
{
	if (keys->time_ms != row->time_ms)
		return "its time column differs from the record";
	if (row->organisation.data == NULL || !is(row->organisation, keys->organisation))
		return "its organisation column differs from the record";
	if (!tag_is(row->subject, keys->subject_tag))
		return "its subject column differs from the record";
	if (!tag_is(row->person, keys->person_tag))
		return "its person column differs from the record";
	return NULL;
}
