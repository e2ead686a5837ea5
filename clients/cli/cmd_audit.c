// `cpis audit`: searching the log and looking at one record, through the broker. verify is in audit_verify.c.
#include <stdio.h>
#include <string.h>

#include "clients/cli/audit_verify.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"
#include "proto/audit_record.h"
#include "proto/date.h"
#include "proto/nhs_number.h"
#include "proto/ods_code.h"
#include "proto/text.h"

// ------------------------------------------------------------------ output

static json_t *entry_value(const Cpis__V1__AuditEntry *entry)
{
	const Cpis__V1__AuditDetail *detail = entry->detail;
	json_t *value = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "index", (json_int_t)entry->index, "operation",
				  wire_operation_name(entry->operation), "outcome", wire_outcome_name(entry->outcome),
				  "reason_code", entry->reason_code, "organisation", entry->organisation,
				  "system_name", entry->system_name, "policy_version", entry->policy_version);
	json_object_set_new(value, "time", output_instant(entry->time_ms));
	if (detail == NULL)
		return value;
	json_t *more = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:I}", "nhs_number", detail->nhs_number, "target", detail->target, "uid",
				 detail->uid, "name", detail->name, "role_code", detail->role_code, "role_name",
				 detail->role_name, "care_setting", wire_care_setting_name(detail->care_setting),
				 "notified", detail->notified, "reason", detail->reason, "count",
				 (json_int_t)detail->count);
	json_object_set_new(more, "stated_reason", json_string(detail->stated_reason));
	json_object_set_new(more, "break_glass", json_boolean(detail->break_glass));
	json_object_set_new(more, "rule", json_string(detail->rule));
	json_t *findings = json_array();
	for (size_t i = 0; i < detail->n_findings; i++)
		json_array_append_new(findings, json_pack("{s:s, s:s}", "rule", detail->findings[i]->rule, "words",
							  detail->findings[i]->words));
	json_object_set_new(more, "findings", findings);
	json_object_set_new(value, "detail", more);
	return value;
}

static void print_entry(const Cpis__V1__AuditEntry *entry)
{
	const Cpis__V1__AuditDetail *detail = entry->detail;
	char when[25];
	instant_format(entry->time_ms, when);
	printf("%6llu  %s  %-17s %s%s%s%s", (unsigned long long)entry->index, when,
	       wire_operation_name(entry->operation), wire_outcome_name(entry->outcome),
	       entry->reason_code[0] == '\0' ? "" : " (", entry->reason_code,
	       entry->reason_code[0] == '\0' ? "" : ")");
	if (detail != NULL && detail->nhs_number[0] != '\0')
		printf("  NHS number %s", detail->nhs_number);
	if (detail != NULL && detail->target[0] != '\0')
		printf("  %s", detail->target);
	printf("\n        ");
	if (detail != NULL && detail->uid[0] != '\0')
		printf("%s (%s), %s, ", detail->name, detail->uid,
		       detail->role_name[0] != '\0' ? detail->role_name : detail->role_code);
	printf("%s %s", entry->organisation[0] != '\0' ? entry->organisation : "unknown system", entry->system_name);
	if (detail != NULL && entry->operation == CPIS__V1__OPERATION__DETAILS &&
	    entry->outcome == CPIS__V1__OUTCOME__OK)
		printf("%s", detail->notified ? ", authorities told" : ", nobody told");
	if (detail != NULL && detail->break_glass)
		printf(", GLASS BROKEN");
	if (detail != NULL && detail->reason[0] != '\0')
		printf("\n        %s", detail->reason);
	if (detail != NULL && detail->stated_reason[0] != '\0')
		printf("\n        reason given: %s", detail->stated_reason);
	if (detail != NULL && detail->rule[0] != '\0')
		printf("\n        by the rule: %s", detail->rule);
	for (size_t i = 0; detail != NULL && i < detail->n_findings; i++)
		printf("\n        FOUND by %s: %s", detail->findings[i]->rule, detail->findings[i]->words);
	putchar('\n');
}

// ------------------------------------------------------------------ search

static bool read_instant(const char *text, uint64_t *ret)
{
	return text == NULL || instant_parse(text, strlen(text), ret);
}

static int read_search(const struct command_line *line, struct nhs_number *number, Cpis__V1__AuditSearchRequest *search)
{
	const char *nhs_number = command_value(line, "nhs-number"), *uid = command_value(line, "uid"),
		   *organisation = command_value(line, "organisation"), *limit = command_value(line, "limit"),
		   *before = command_value(line, "before");
	struct ods_code code;
	uint64_t count = 0;
	if (nhs_number != NULL) {
		enum nhs_number_status status = nhs_number_parse_typed(nhs_number, strlen(nhs_number), number);
		if (status != NHS_NUMBER_OK)
			return command_usage_error(line, "--nhs-number: %s", nhs_number_status_text(status));
		search->nhs_number = number->digits;
	}
	if (uid != NULL && !text_is_digits(uid, strlen(uid), UID_DIGITS))
		return command_usage_error(line, "--uid is a staff id of 12 digits");
	if (organisation != NULL && !ods_code_parse(organisation, strlen(organisation), &code))
		return command_usage_error(line, "--organisation is an ODS code");
	if (!read_instant(command_value(line, "from"), &search->from_ms) ||
	    !read_instant(command_value(line, "until"), &search->until_ms))
		return command_usage_error(line, "--from and --until are like 2026-11-23 or 2026-11-23T03:00:00Z");
	if (limit != NULL && !command_number(limit, 1, PAGE_ITEMS_MAX, &count))
		return command_usage_error(line, "--limit is a number from 1 to %u", PAGE_ITEMS_MAX);
	if (before != NULL && !command_number(before, 1, INT64_MAX, &search->before_index))
		return command_usage_error(line, "--before is a record's number");
	if (uid != NULL)
		search->uid = (char *)(uintptr_t)uid;
	if (organisation != NULL)
		search->organisation = (char *)(uintptr_t)organisation;
	search->limit = (uint32_t)count;
	return EXIT_DONE;
}

static void print_search(const Cpis__V1__Reply *reply, bool json)
{
	const Cpis__V1__AuditSearchReply *found = reply->audit_search;
	if (json) {
		json_t *value = output_envelope(reply), *entries = json_array();
		for (size_t i = 0; i < found->n_entries; i++)
			json_array_append_new(entries, entry_value(found->entries[i]));
		json_object_set_new(value, "entries", entries);
		json_object_set_new(value, "more", json_boolean(found->more));
		if (found->more)
			json_object_set_new(value, "next_before", json_integer((json_int_t)found->next_before_index));
		output_json(value);
		return;
	}
	for (size_t i = 0; i < found->n_entries; i++)
		print_entry(found->entries[i]);
	if (found->n_entries == 0)
		puts("Nothing found.");
	if (found->more)
		printf("There may be more: --before %llu\n", (unsigned long long)found->next_before_index);
	output_receipt(reply);
}

static int run_search(const struct command_line *line)
{
	struct connection connection = {0};
	struct nhs_number number;
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	int code = read_search(line, &number, &search);
	if (code == EXIT_DONE)
		code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &search;
	code = connection_call(&connection, &request, &reply);
	// A long log is searched a stretch at a time; an empty one is not what was asked for.
	while (code == EXIT_DONE && reply->audit_search->n_entries == 0 && reply->audit_search->more) {
		search.before_index = reply->audit_search->next_before_index;
		cpis_reply_free(reply);
		reply = NULL;
		code = connection_call(&connection, &request, &reply);
	}
	if (code == EXIT_DONE)
		print_search(reply, line->json);
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

// ------------------------------------------------------------------ show

// The proof is of the stored bytes; what is shown must be what they say.
static bool speaks_of(const Cpis__V1__AuditRecord *record, const Cpis__V1__AuditEntry *entry)
{
	return record->index == entry->index && record->time_ms == entry->time_ms &&
	       record->operation == entry->operation && record->outcome == entry->outcome &&
	       strcmp(record->reason_code, entry->reason_code) == 0 &&
	       strcmp(record->organisation, entry->organisation) == 0 &&
	       strcmp(record->system_name, entry->system_name) == 0 &&
	       strcmp(record->policy_version, entry->policy_version) == 0;
}

static bool proof_holds(const struct connection *connection, const Cpis__V1__AuditShowReply *shown)
{
	struct arena arena;
	struct wire_error error;
	Cpis__V1__AuditRecord *record = NULL;
	if (shown->entry == NULL || shown->proof == NULL ||
	    cpis_check_proof(connection->client, shown->proof) != CPIS_OK)
		return false;
	bool holds = arena_init(&arena, ARENA_BYTES) &&
		     audit_record_decode(&arena, shown->proof->record.data, shown->proof->record.len, &record,
					 &error) == WIRE_OK &&
		     speaks_of(record, shown->entry);
	arena_done(&arena);
	return holds;
}

static int run_show(const struct command_line *line)
{
	struct connection connection = {0};
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__AuditShowRequest show = CPIS__V1__AUDIT_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	if (!command_number(line->operands[0], 0, INT64_MAX, &show.index))
		return command_usage_error(line, "%s is not a record's number", line->operands[0]);
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SHOW;
	request.audit_show = &show;
	code = connection_call(&connection, &request, &reply);
	if (code == EXIT_DONE && !proof_holds(&connection, reply->audit_show)) {
		fputs("cpis audit show: the record is not proven to be in the audit log\n", stderr);
		code = EXIT_PROOF;
	} else if (code == EXIT_DONE && line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, "entry", entry_value(reply->audit_show->entry));
		output_json(value);
	} else if (code == EXIT_DONE) {
		print_entry(reply->audit_show->entry);
		puts("This record is proven to be in the audit log.");
		output_receipt(reply);
	}
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

static const struct command_option search_options[] = {
	{"nhs-number", "N", "about this child", OPTION_OPTIONAL},
	{"uid", "UID", "by this member of staff", OPTION_OPTIONAL},
	{"organisation", "ODS", "from this organisation", OPTION_OPTIONAL},
	{"from", "TIME", "at or after, e.g. 2026-11-23 or 2026-11-23T03:00:00Z", OPTION_OPTIONAL},
	{"until", "TIME", "before", OPTION_OPTIONAL},
	{"limit", "N", "at most so many, 1 to 100 (default: 50)", OPTION_OPTIONAL},
	{"before", "NO", "records with a smaller number only: the next page", OPTION_OPTIONAL},
	{0},
};

static const struct command commands[] = {
	{.name = "audit search",
	 .operands = "",
	 .help = "Finds records, newest first. A privacy officer sees those of the own organisation, a national reviewer\n"
		 "all. Searching is itself recorded.",
	 .options = search_options,
	 .run = run_search},
	{.name = "audit show",
	 .operands = "NO",
	 .help = "Shows one record and checks the proof that it is in the log.",
	 .operands_min = 1,
	 .operands_max = 1,
	 .run = run_show},
	{.name = "audit verify",
	 .operands = "",
	 .help = "Checks a whole log offline: every record against its hash, all of them against the signed checkpoint, and\n"
		 "against checkpoints that clients kept. Names the first bad record and exits with 4.",
	 .options = audit_verify_options,
	 .offline = true,
	 .run = audit_verify},
};

int command_audit(int argc, char **argv)
{
	return command_dispatch_group("audit", "The audit log: who looked, and the proof that nothing is missing from it.",
				      commands, sizeof commands / sizeof commands[0], argc, argv);
}
