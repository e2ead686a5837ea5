// `cpis extract`: an authority's plans in one file for the hours when the service is not there, encrypted to named staff by age(1).
//
// In clear the extract is in this process's memory and in a file of it that has no name, which is wiped; on disk it is encrypted.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "certs/age_identity.h"
#include "certs/identity.h"
#include "clients/cli/certs_show.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/contacts_sheet.h"
#include "clients/cli/output.h"
#include "clients/cli/sibling.h"
#include "proto/limits.h"

#define REMEDY "install the package age"
#define PATH_BYTES 4096

struct recipients {
	size_t count;
	struct {
		char uid[UID_DIGITS + 1], line[AGE_RECIPIENT_BYTES];
	} all[EXTRACT_RECIPIENTS_MAX];
};

// ------------------------------------------------------------------ for whom

// Each certificate has to hold now: what is encrypted to somebody who left can be read by them for ever.
static int read_recipients(const struct command_line *line, const struct profile *profile, struct recipients *ret)
{
	char detail[CERTS_DETAIL_BYTES];
	struct trust *trust = NULL;
	const char *path;
	ret->count = 0;
	if (command_value(line, "to") == NULL)
		return command_usage_error(line, "--to: for whom?");
	enum certs_status status = trust_load(profile->trust_directory, &trust, detail);
	for (unsigned i = 0; status == CERTS_OK && (path = command_value_at(line, "to", i)) != NULL; i++) {
		struct staff_identity staff;
		if (i == EXTRACT_RECIPIENTS_MAX) {
			trust_free(trust);
			return command_usage_error(line, "--to at most %u people", EXTRACT_RECIPIENTS_MAX);
		}
		status = trust_verify_staff_file(trust, path, (uint64_t)time(NULL) * 1000, &staff, detail);
		if (status == CERTS_OK && staff.key.kind != STAFF_KEY_ED25519) {
			trust_free(trust);
			return command_usage_error(line, "%s: nothing can be encrypted to this kind of key: an Ed25519 key in a file is needed", path);
		}
		if (status != CERTS_OK)
			continue;
		memcpy(ret->all[i].uid, staff.uid, sizeof ret->all[i].uid);
		age_recipient(staff.key.bytes, ret->all[i].line);
		ret->count++;
	}
	trust_free(trust);
	return status == CERTS_OK ? EXIT_DONE : certs_failure(status, detail);
}

// ------------------------------------------------------------------ reading

static json_t *plan_value(const Cpis__V1__ExtractedPlan *plan)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "nhs_number", plan->nhs_number, "plan_type", wire_plan_type_name(plan->type),
			 "status", plan->status == CPIS__V1__PLAN_STATUS__CURRENT ? "CURRENT" : "ENDED", "start_date", plan->start_date, "end_date", plan->end_date,
			 "birth_date", plan->birth_date, "local_id", plan->local_id);
}

static void take_page(json_t *extract, const Cpis__V1__ExtractReadReply *page)
{
	json_t *plans = json_object_get(extract, "plans"), *contacts = json_object_get(extract, "contacts");
	for (size_t i = 0; i < page->n_plans; i++)
		json_array_append_new(plans, plan_value(page->plans[i]));
	for (size_t i = 0; i < page->n_contacts; i++)
		json_array_append_new(contacts, contacts_value(page->contacts[i]));
	json_object_set_new(extract, "authority", json_string(page->authority));
	json_object_set_new(extract, "name", json_string(page->name));
	json_object_set_new(extract, "as_of", output_instant(page->assembled_ms));
}

// All pages or nothing.
static int read_all(struct connection *connection, const struct recipients *recipients, json_t *extract)
{
	char *uids[EXTRACT_RECIPIENTS_MAX];
	uint8_t after[EXTRACT_CURSOR_BYTES_MAX];
	size_t after_bytes = 0;
	for (size_t i = 0; i < recipients->count; i++)
		uids[i] = (char *)(uintptr_t)recipients->all[i].uid;
	do {
		Cpis__V1__ExtractReadRequest body = CPIS__V1__EXTRACT_READ_REQUEST__INIT;
		Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
		const Cpis__V1__Reply *reply = NULL;
		body.reason = (char *)(uintptr_t)command_value(connection->line, "reason");
		body.recipients = uids;
		body.n_recipients = recipients->count;
		body.after = (ProtobufCBinaryData){after_bytes, after};
		request.body_case = CPIS__V1__REQUEST__BODY_EXTRACT_READ;
		request.extract_read = &body;
		int code = connection_call_signed(connection, &request, &reply);
		if (code != EXIT_DONE)
			return code;
		take_page(extract, reply->extract_read);
		after_bytes = reply->extract_read->next.len;
		if (after_bytes > 0)
			memcpy(after, reply->extract_read->next.data, after_bytes);
		cpis_reply_free(reply);
	} while (after_bytes > 0);
	return EXIT_DONE;
}

// ------------------------------------------------------------------ writing

static int fail(const struct command_line *line, const char *path)
{
	fprintf(stderr, "cpis %s: %s: %s\n", line->command->name, path, strerror(errno));
	return EXIT_FAILED;
}

static void wipe(int descriptor)
{
	static const char zeros[4096];
	off_t bytes = lseek(descriptor, 0, SEEK_END);
	for (off_t at = 0; at < bytes; at += (off_t)sizeof zeros)
		(void)!pwrite(descriptor, zeros, sizeof zeros, at);
	close(descriptor);
}

static int run_age(const struct command_line *line, const struct recipients *recipients, int input, char *out)
{
	char program[] = "age", to[] = "--recipient", output[] = "--output";
	char *arguments[4 + 2 * EXTRACT_RECIPIENTS_MAX];
	size_t count = 0;
	int code = EXIT_FAILED;
	arguments[count++] = program;
	for (size_t i = 0; i < recipients->count; i++) {
		arguments[count++] = to;
		arguments[count++] = (char *)(uintptr_t)recipients->all[i].line;
	}
	arguments[count++] = output;
	arguments[count++] = out;
	arguments[count] = NULL;
	if (!sibling_run(line, arguments, input, REMEDY, &code))
		return EXIT_FAILED;
	return code == 0 ? EXIT_DONE : EXIT_FAILED;
}

// age opens its output itself; what it wrote is on disk before it takes the old file's place.
static bool flush_and_rename(const char *temporary, const char *path)
{
	int file = open(temporary, O_RDONLY | O_CLOEXEC);
	bool flushed = file >= 0 && fchmod(file, 0600) == 0 && fsync(file) == 0;
	if (file >= 0)
		close(file);
	return flushed && rename(temporary, path) == 0;
}

static int write_encrypted(const struct command_line *line, const struct recipients *recipients, const json_t *extract)
{
	const char *path = command_value(line, "out");
	char temporary[PATH_BYTES];
	int length = snprintf(temporary, sizeof temporary, "%s.%ld.new", path, (long)getpid());
	if (length < 0 || (size_t)length >= sizeof temporary)
		return command_usage_error(line, "--out is too long");
	int code = EXIT_FAILED, input = memfd_create("extract", MFD_CLOEXEC);
	if (input < 0 || json_dumpfd(extract, input, JSON_INDENT(1)) != 0 || lseek(input, 0, SEEK_SET) != 0)
		code = fail(line, "memory");
	else
		code = run_age(line, recipients, input, temporary);
	if (input >= 0)
		wipe(input);
	if (code == EXIT_DONE && !flush_and_rename(temporary, path))
		code = fail(line, path);
	if (code != EXIT_DONE)
		unlink(temporary);
	return code;
}

static int run_make(const struct command_line *line)
{
	struct connection connection = {0};
	struct recipients recipients;
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	json_t *extract = json_pack("{s:s, s:[], s:[]}", "notice",
				    "Read-only. As of the time below; a child that is not in it may be known all the same.", "contacts", "plans");
	code = read_recipients(line, connection.profile, &recipients);
	if (code == EXIT_DONE)
		code = read_all(&connection, &recipients, extract);
	if (code == EXIT_DONE)
		code = write_encrypted(line, &recipients, extract);
	size_t plans = json_array_size(json_object_get(extract, "plans"));
	if (code == EXIT_DONE && line->json)
		output_json(json_pack("{s:s, s:s, s:I}", "outcome", "OK", "file", command_value(line, "out"), "plans", (json_int_t)plans));
	else if (code == EXIT_DONE)
		printf("%s: %zu plans, for %zu people. Your privacy officer has been told.\n", command_value(line, "out"), plans, recipients.count);
	json_decref(extract);
	connection_close(&connection);
	return code;
}

// ------------------------------------------------------------------ opening, without any broker

static int run_open(const struct command_line *line)
{
	char identity[64], program[] = "age", decrypt[] = "--decrypt", with[] = "--identity";
	int descriptor, code = EXIT_FAILED;
	enum certs_status status = age_identity_open(command_value(line, "key"), &descriptor);
	if (status != CERTS_OK)
		return certs_failure(status, command_value(line, "key"));
	snprintf(identity, sizeof identity, "/proc/self/fd/%d", descriptor);
	char *arguments[] = {program, decrypt, with, identity, line->operands[0], NULL};
	if (!sibling_run(line, arguments, -1, REMEDY, &code))
		code = EXIT_FAILED;
	age_identity_close(descriptor);
	if (code != 0)
		fprintf(stderr, "cpis %s: %s was not opened: it is not for this key, or has been changed\n", line->command->name, line->operands[0]);
	return code == 0 ? EXIT_DONE : EXIT_REFUSED;
}

static const struct command_option make_options[] = {
	{"to", "CERTIFICATE", "encrypt it to this member of staff of your authority; may be repeated, 12 at most", OPTION_REPEATABLE},
	{"reason", "TEXT", "why, in words: it is kept in the audit log", OPTION_WORDS},
	{"out", "FILE", "the encrypted file; one that is there is replaced when the new one is complete", OPTION_REQUIRED},
	{0},
};
static const struct command_option open_options[] = {
	{"key", "FILE", "your staff key", OPTION_REQUIRED},
	{0},
};

static const struct command commands[] = {
	{.name = "extract make",
	 .operands = "",
	 .help = "Writes all plans of your authority that are shown today, and its telephones, encrypted to named staff. Each page is signed\n"
		 "with your key and on record, and your privacy officer is told.",
	 .options = make_options,
	 .run = run_make},
	{.name = "extract open",
	 .operands = "FILE",
	 .operands_min = 1,
	 .operands_max = 1,
	 .help = "Prints an extract that is for you, as JSON. Needs no broker.",
	 .options = open_options,
	 .offline = true,
	 .text_only = true,
	 .run = run_open},
};

int command_extract(int argc, char **argv)
{
	return command_dispatch_group("extract", "An authority's plans in one encrypted file, for when the service is not there.", commands,
				      sizeof commands / sizeof commands[0], argc, argv);
}
