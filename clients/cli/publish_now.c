// A correction of single plans, at once.
#include <stdio.h>

#include "clients/cli/commands.h"
#include "clients/cli/publish.h"
#include "clients/cli/output.h"

static bool take_row(void *context, const struct plan_row *row)
{
	struct publish *publish = context;
	if (publish_batch_full(&publish->batch)) {
		fprintf(stderr, "cpis publish: %s is too long for --now (200 rows): publish it as a file\n", publish->path);
		publish->code = EXIT_USAGE;
		return false;
	}
	if (publish_batch_add(&publish->batch, row) != NULL)
		return true;
	fputs("cpis publish: out of memory\n", stderr);
	publish->code = EXIT_FAILED;
	return false;
}

static int report(struct publish *publish, const Cpis__V1__PublishReply *reply, const char *rejected_path)
{
	struct rejected_file *rejected = NULL;
	json_t *list = json_array();
	int code = reply->n_rejected == 0 ? EXIT_DONE : reply->stored > 0 ? EXIT_PARTIAL : EXIT_USAGE;
	if (rejected_path != NULL && (rejected = rejected_file_new(rejected_path)) == NULL)
		code = EXIT_FAILED;
	for (size_t i = 0; i < reply->n_rejected; i++) {
		if (publish->line->json)
			json_array_append_new(list, publish_rejected_value(reply->rejected[i]));
		else
			publish_print_rejected(publish->path, reply->rejected[i]);
		if (rejected != NULL && !rejected_file_add(rejected, reply->rejected[i]))
			code = EXIT_FAILED;
	}
	if (rejected != NULL && !rejected_file_write(rejected, publish->path))
		code = EXIT_FAILED;
	if (publish->line->json)
		output_json(json_pack("{s:s, s:I, s:I, s:O}", "file_outcome", wire_file_outcome_name(reply->outcome), "received",
				      (json_int_t)reply->received, "stored", (json_int_t)reply->stored, "rejected", list));
	else
		printf("%s: %u records received, %u stored, %zu rejected.\n", wire_file_outcome_name(reply->outcome),
		       reply->received, reply->stored, reply->n_rejected);
	json_decref(list);
	return code;
}

int publish_now(struct publish *publish, const char *rejected_path)
{
	char detail[PLAN_FILE_DETAIL_BYTES];
	Cpis__V1__PublishRequest body = CPIS__V1__PUBLISH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	if (!plan_file_read(publish->path, take_row, publish, &publish->facts, detail)) {
		if (detail[0] != '\0') {
			fprintf(stderr, "cpis publish: CPF01: %s\n", detail);
			publish->code = EXIT_USAGE;
		}
		return publish->code;
	}
	int code = connection_sign_in(publish->line, &publish->connection);
	if (code != EXIT_DONE)
		return code;
	const char *authority = command_value(publish->line, "authority");
	if (authority == NULL)
		authority = cpis_system_organisation(publish->connection.client);
	body.authority = (char *)(uintptr_t)authority;
	body.n_records = publish->batch.count;
	body.records = publish->batch.records;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLISH;
	request.publish = &body;
	if (!publish_call(publish, &request, true, &reply))
		return publish->code;
	if (reply->outcome != CPIS__V1__OUTCOME__OK) {
		publish_refused(publish, reply);
		return publish->code;
	}
	code = report(publish, reply->publish, rejected_path);
	cpis_reply_free(reply);
	return code;
}
