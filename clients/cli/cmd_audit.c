// `cpis audit`: searching the log and looking at one record, through the broker. Reports are in audit_report.c, verify is in
// audit_verify.c.
#include <stdio.h>
#include <string.h>

#include "clients/cli/audit_compare.h"
#include "clients/cli/audit_export.h"
#include "clients/cli/audit_json.h"
#include "clients/cli/audit_listing.h"
#include "clients/cli/audit_pages.h"
#include "clients/cli/audit_prove.h"
#include "clients/cli/audit_query.h"
#include "clients/cli/audit_report.h"
#include "clients/cli/audit_verify.h"
#include "clients/cli/audit_words.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"
#include "proto/audit_entry.h"
#include "proto/audit_record.h"
#include "proto/date.h"

// ------------------------------------------------------------------ search

static bool read_instant(const char *text, uint64_t *ret)
{
	return text == NULL || instant_parse(text, strlen(text), ret);
}

static int read_range(const struct command_line *line, Cpis__V1__AuditSearchRequest *search)
{
	const char *limit = command_value(line, "limit"), *before = command_value(line, "before"),
		   *after = command_value(line, "after");
	uint64_t count = 0;
	if (!read_instant(command_value(line, "from"), &search->from_ms) ||
	    !read_instant(command_value(line, "until"), &search->until_ms))
		return command_usage_error(line, "--from and --until are like 2026-11-23 or 2026-11-23T03:00:00Z");
	if (limit != NULL && !command_number(limit, 1, PAGE_ITEMS_MAX, &count))
		return command_usage_error(line, "--limit is a number from 1 to %u", PAGE_ITEMS_MAX);
	if ((before != NULL && !command_number(before, 1, INT64_MAX, &search->before_index)) ||
	    (after != NULL && !command_number(after, 0, INT64_MAX - 1, &search->from_index)))
		return command_usage_error(line, "--before and --after are a record's number");
	search->from_index += after != NULL;
	search->limit = (uint32_t)count;
	search->oldest_first = command_value(line, "oldest-first") != NULL;
	return EXIT_DONE;
}

// One page, with its place in the search.
static void print_page(void *context, const Cpis__V1__Reply *reply)
{
	const struct audit_listing *listing = context;
	const Cpis__V1__AuditSearchReply *found = reply->audit_search;
	uint64_t next = found->next_from_index != 0 ? found->next_from_index - 1 : found->next_before_index;
	const char *option = found->next_from_index != 0 ? "after" : "before";
	if (listing->format == AUDIT_FORMAT_JSON) {
		char key[16];
		snprintf(key, sizeof key, "next_%s", option);
		json_t *value = output_envelope(reply), *entries = json_array();
		for (size_t i = 0; i < found->n_entries; i++)
			json_array_append_new(entries, audit_json_entry(found->entries[i]));
		json_object_set_new(value, "entries", entries);
		json_object_set_new(value, "more", json_boolean(found->more));
		if (found->more)
			json_object_set_new(value, key, json_integer((json_int_t)next));
		output_json(value);
		return;
	}
	for (size_t i = 0; i < found->n_entries; i++)
		audit_words_print(found->entries[i]);
	if (found->n_entries == 0)
		puts("Nothing found.");
	if (found->more)
		printf("There may be more: --%s %llu\n", option, (unsigned long long)next);
	output_receipt(reply);
}

static void print_listed(void *context, const Cpis__V1__Reply *reply)
{
	audit_listing_page(context, reply);
}

static int run_search(const struct command_line *line)
{
	struct connection connection = {0};
	struct audit_query query;
	struct audit_listing listing = {.name = "search", .text = audit_words_print};
	bool all = command_value(line, "all") != NULL;
	int code = audit_query_read(line, &query);
	if (code == EXIT_DONE)
		code = read_range(line, &query.search);
	if (code == EXIT_DONE)
		code = audit_format_read(line, &listing.format);
	if (code == EXIT_DONE)
		code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	listing.broker_name = connection.profile->broker_name;
	// CSV and FHIR have no place for "there is more": as a list, of this page or of all.
	bool listed = all || listing.format == AUDIT_FORMAT_CSV || listing.format == AUDIT_FORMAT_FHIR;
	if (listed)
		audit_listing_begin(&listing);
	code = audit_pages_follow(&connection, &query.search, all, listed ? print_listed : print_page, &listing);
	if (listed && code == EXIT_DONE)
		audit_listing_end(&listing);
	connection_close(&connection);
	return code;
}

// ------------------------------------------------------------------ show

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
		     audit_entry_is_of(shown->entry, record);
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
		json_object_set_new(value, "entry", audit_json_entry(reply->audit_show->entry));
		output_json(value);
	} else if (code == EXIT_DONE) {
		audit_words_print_all(reply->audit_show->entry);
		puts("This record is proven to be in the audit log.");
		output_receipt(reply);
	}
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

static const struct command_option search_options[] = {
	AUDIT_QUERY_CHILD,
	AUDIT_QUERY_PERSON,
	AUDIT_QUERY_ORGANISATION,
	AUDIT_QUERY_FILTERS,
	{"from", "TIME", "at or after, e.g. 2026-11-23 or 2026-11-23T03:00:00Z", OPTION_OPTIONAL},
	{"until", "TIME", "before", OPTION_OPTIONAL},
	{"oldest-first", NULL, "in the order in which it happened", OPTION_OPTIONAL},
	{"all", NULL, "all pages, printed as they come", OPTION_OPTIONAL},
	{"limit", "N", "at most so many on a page, 1 to 100 (default: 50)", OPTION_OPTIONAL},
	{"before", "NO", "the next page, newest first: what comes before this record", OPTION_OPTIONAL},
	{"after", "NO", "the next page, oldest first: what comes after this record", OPTION_OPTIONAL},
	AUDIT_FORMAT_OPTIONS,
	{0},
};

static const struct command commands[] = {
	{.name = "audit search",
	 .operands = "",
	 .help = "Finds records, newest first; what is asked for adds up. A privacy officer sees what the own organisation's systems\n"
		 "did, one of a local authority also who looked at its own children, a national reviewer all. Searching is itself\n"
		 "recorded.",
	 .options = search_options,
	 .run = run_search},
	{.name = "audit show",
	 .operands = "NO",
	 .help = "Shows all that one record says, and checks the proof that it is in the log.",
	 .operands_min = 1,
	 .operands_max = 1,
	 .run = run_show},
	{.name = "audit report", .operands = "REPORT", .group = audit_report},
	// Where reviewers look for it; `cpis alert` is the same.
	{.name = "audit review", .operands = "COMMAND", .group = command_alert},
	{.name = "audit verify",
	 .operands = "",
	 .help = "Checks a whole log offline: every record against its hash, all of them against the signed checkpoint, and\n"
		 "against checkpoints that clients kept; in the database or in an export. Names the first bad record and exits with 4.",
	 .options = audit_verify_options,
	 .offline = true,
	 .run = audit_verify},
	{.name = "audit checkpoint",
	 .operands = "",
	 .help = "Prints the newest checkpoint of the log that this system has verified, to be compared with what others hold.",
	 .options = audit_checkpoint_options,
	 .text_only = true,
	 .unwitnessed = true,
	 .run = audit_checkpoint},
	{.name = "audit compare",
	 .operands = "FILE...",
	 .help = "Compares checkpoints that several people hold, offline: of one size with different roots, they prove that there are\n"
		 "two logs (exit code 4). Different sizes are decided by a database; without one they are undecided (5).",
	 .options = audit_compare_options,
	 .operands_min = 1,
	 .operands_max = 256,
	 .offline = true,
	 .run = audit_compare},
	{.name = "audit prove",
	 .operands = "",
	 .help = "Writes one record, and the proof that the signed log contains it, as a text that holds without the log\n"
		 "(c2sp.org/tlog-proof@v1). Works offline on the file, and reads a few rows of it, however long it is.",
	 .options = audit_prove_options,
	 .offline = true,
	 .text_only = true,
	 .run = audit_prove},
	{.name = "audit export",
	 .operands = "",
	 .help = "Writes the log as static files (c2sp.org/tlog-tiles, with the records beside them) that hold without the broker and\n"
		 "its database. Checks what it writes. Again adds what is new; files are made once and never changed.",
	 .options = audit_export_options,
	 .offline = true,
	 .run = audit_export},
	{.name = "audit import",
	 .operands = "",
	 .help = "Makes a database with the log's tables from an export, which is checked. It can be verified and proven from; a\n"
		 "broker does not start on it.",
	 .options = audit_import_options,
	 .offline = true,
	 .run = audit_import},
};

int command_audit(int argc, char **argv)
{
	return command_dispatch_group("audit", "The audit log: who looked, and the proof that nothing is missing from it.",
				      commands, sizeof commands / sizeof commands[0], argc, argv);
}
