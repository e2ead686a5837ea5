// A stored record against itself.
#include "clients/cli/log_row.h"

#include <string.h>

static bool tag_is(struct log_bytes stored, ProtobufCBinaryData wanted)
{
	if (stored.data == NULL || wanted.len == 0)
		return stored.data == NULL && wanted.len == 0;
	return stored.bytes == wanted.len && memcmp(stored.data, wanted.data, wanted.len) == 0;
}

static bool text_is(struct log_bytes stored, const char *wanted)
{
	return stored.data != NULL && stored.bytes == strlen(wanted) && memcmp(stored.data, wanted, stored.bytes) == 0;
}

const char *log_row_decode(struct arena *arena, const struct log_row *row, Cpis__V1__AuditRecord **ret)
{
	struct wire_error error;
	if (audit_record_decode(arena, row->record.data, row->record.bytes, ret, &error) != WIRE_OK)
		return "it cannot be read as an audit record";
	if ((*ret)->index != row->index)
		return "it carries another record's number";
	return NULL;
}

const char *log_row_compare(const struct log_row *row, const Cpis__V1__AuditRecord *record)
{
	if (record->time_ms != row->time_ms)
		return "its time column differs from the record";
	if (!text_is(row->organisation, record->organisation))
		return "its organisation column differs from the record";
	if (!tag_is(row->subject, record->subject_tag))
		return "its subject column differs from the record";
	if (!tag_is(row->person, record->person_tag))
		return "its person column differs from the record";
	return NULL;
}
