// Records out of rows, and calls that outlast a broken connection.
#include "clients/cli/publish.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clients/cli/commands.h"
#include "proto/nhs_number.h"
#include "proto/wire.h"

#define PATIENCE_MS (10ull * 60u * 1000u)

bool publish_batch_init(struct publish_batch *batch)
{
	return arena_init(&batch->arena, ARENA_BYTES);
}

void publish_batch_done(struct publish_batch *batch)
{
	arena_done(&batch->arena);
}

void publish_batch_clear(struct publish_batch *batch)
{
	batch->count = batch->bytes = 0;
	arena_reset(&batch->arena);
}

Cpis__V1__PlanRecord *publish_batch_add(struct publish_batch *batch, const struct plan_row *row)
{
	struct nhs_number number;
	char *text[PLAN_COLUMNS_COUNT];
	Cpis__V1__PlanRecord *record = arena_alloc(&batch->arena, sizeof *record);
	for (unsigned i = 0; i < PLAN_COLUMNS_COUNT; i++)
		text[i] = arena_copy_text(&batch->arena, row->text[i], strlen(row->text[i]));
	if (batch->arena.overflowed)
		return NULL;
	cpis__v1__plan_record__init(record);
	// As people write it; what is not a number goes as it is, for the broker to name.
	record->nhs_number = text[PLAN_COLUMN_NHS_NUMBER];
	if (nhs_number_parse_typed(record->nhs_number, strlen(record->nhs_number), &number) == NHS_NUMBER_OK)
		memcpy(record->nhs_number, number.digits, strlen(number.digits) + 1);
	if (!wire_plan_type_by_name(text[PLAN_COLUMN_PLAN_TYPE], &record->type))
		record->type = CPIS__V1__PLAN_TYPE__PLAN_TYPE_UNSPECIFIED;
	record->start_date = text[PLAN_COLUMN_START_DATE];
	record->end_date = text[PLAN_COLUMN_END_DATE];
	record->delete_date = text[PLAN_COLUMN_DELETE_DATE];
	record->local_id = text[PLAN_COLUMN_LOCAL_ID];
	record->family_name = text[PLAN_COLUMN_FAMILY_NAME];
	record->given_names = text[PLAN_COLUMN_GIVEN_NAMES];
	record->birth_date = text[PLAN_COLUMN_BIRTH_DATE];
	record->row = (uint32_t)row->line;
	batch->records[batch->count++] = record;
	batch->bytes += cpis__v1__plan_record__get_packed_size(record) + 4;
	return record;
}

bool publish_batch_full(const struct publish_batch *batch)
{
	return batch->count == PUBLISH_RECORDS_MAX || batch->bytes > PUBLISH_BATCH_BYTES_MAX;
}

// ------------------------------------------------------------------ calls

static uint64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// Whether the same is to be asked again.
static bool may_come_back(enum cpis_status status, const Cpis__V1__Reply *reply)
{
	if (status == CPIS_TIMEOUT || status == CPIS_UNREACHABLE)
		return true;
	return status == CPIS_OK &&
	       (reply->outcome == CPIS__V1__OUTCOME__DEADLINE_EXPIRED ||
		(reply->outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE &&
		 strcmp(reply->reason_code, "demographics_unavailable") != 0));
}

static bool has_patience(struct publish *publish)
{
	if (publish->progress_ms == 0 || monotonic_ms() - publish->progress_ms > PATIENCE_MS)
		return false;
	if (!publish->waiting)
		fputs("cpis publish: the broker does not answer; trying on for ten minutes.\n", stderr);
	publish->waiting = true;
	return true;
}

bool publish_call(struct publish *publish, Cpis__V1__Request *request, bool with_signature, const Cpis__V1__Reply **ret)
{
	struct connection *connection = &publish->connection;
	uint32_t timeout_ms = publish->line->timeout_ms;
	bool renewed = false;
	for (;;) {
		const Cpis__V1__Reply *reply = NULL;
		enum cpis_status status =
			with_signature ? cpis_call_signed(connection->client, request, connection->profile->staff_key, timeout_ms,
							  &reply)
				       : cpis_call(connection->client, request, timeout_ms, &reply);
		bool again = may_come_back(status, reply) && has_patience(publish);
		if (!again && !renewed && status == CPIS_OK && reply->outcome == CPIS__V1__OUTCOME__SESSION_EXPIRED) {
			renewed = true;
			publish->code = connection_renew(connection);
			again = publish->code == EXIT_DONE;
			if (!again) {
				cpis_reply_free(reply);
				return false;
			}
		}
		if (again) {
			cpis_reply_free(reply);
			continue;
		}
		if (status != CPIS_OK) {
			publish->code = connection_fail(connection, status, cpis_detail(connection->client));
			return false;
		}
		publish->progress_ms = monotonic_ms();
		publish->waiting = false;
		*ret = reply;
		return true;
	}
}

bool publish_refused(struct publish *publish, const Cpis__V1__Reply *reply)
{
	const Cpis__V1__Reply *unused = NULL;
	if (strcmp(reply->reason_code, "demographics_unavailable") == 0)
		fputs("CPF05: the file was not stored.\n", stderr);
	else if (reply->outcome == CPIS__V1__OUTCOME__NO_LONGER_SUPPORTED)
		fputs("CPF06: this program is too old for the broker.\n", stderr);
	publish->code = connection_judge(&publish->connection, CPIS_OK, reply, &unused);
	return false;
}
