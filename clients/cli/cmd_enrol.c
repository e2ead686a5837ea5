// `cpis enrol`: new systems. A registrar invites, compares and withdraws; a new system presents its code (enrol_present.c).
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "certs/public_key.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/enrol_present.h"
#include "clients/cli/enrolment_code.h"
#include "clients/cli/output.h"
#include "proto/date.h"

#define DAYS_DEFAULT 7u
#define DAY_MS (24u * 3600u * 1000u)

static char *text(const struct command_line *line, const char *option)
{
	return (char *)(uintptr_t)command_value(line, option);
}

// ------------------------------------------------------------------ invite

static int read_until(const struct command_line *line, uint64_t *ret)
{
	const char *until = command_value(line, "until");
	*ret = (uint64_t)time(NULL) * 1000 + DAYS_DEFAULT * DAY_MS;
	if (until != NULL && !instant_parse(until, strlen(until), ret))
		return command_usage_error(line, "--until is like 2026-11-23 or 2026-11-23T03:00:00Z");
	return EXIT_DONE;
}

static void print_invited(const struct command_line *line, const Cpis__V1__Reply *reply, const char *code, uint64_t until_ms)
{
	char until[17];
	if (line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, "code", json_string(code));
		json_object_set_new(value, "until", output_instant(until_ms));
		json_object_set_new(value, "replaced", json_boolean(reply->enrol_invite->replaced));
		output_json(value);
		return;
	}
	output_english_time(until_ms, until);
	printf("Invited until %s.%s\n\n  one-time code  %s\n\n"
	       "Give it to the system's operator and to nobody else. It is shown this once, and the broker does not have it.\n",
	       until, reply->enrol_invite->replaced ? " The invitation before, with its code, is void." : "", code);
	output_receipt(reply);
}

static int run_invite(const struct command_line *line)
{
	struct connection connection = {0};
	Cpis__V1__EnrolInviteRequest invite = CPIS__V1__ENROL_INVITE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	uint8_t code[ENROLMENT_CODE_BYTES], sha256[HASH_BYTES];
	char code_text[ENROLMENT_CODE_TEXT_BYTES];
	int exit_code = enrol_check_system(line);
	if (exit_code == EXIT_DONE)
		exit_code = read_until(line, &invite.until_ms);
	if (exit_code != EXIT_DONE)
		return exit_code;
	if (!cpis_make_code(code, sha256)) {
		fprintf(stderr, "cpis enrol invite: the cryptographic library failed\n");
		return EXIT_FAILED;
	}
	invite.code_sha256 = (ProtobufCBinaryData){sizeof sha256, sha256};
	invite.organisation = text(line, "ods");
	invite.system_name = text(line, "name");
	invite.reason = text(line, "reason");
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL_INVITE;
	request.enrol_invite = &invite;
	exit_code = connection_sign_in(line, &connection);
	if (exit_code == EXIT_DONE)
		exit_code = connection_call_signed(&connection, &request, &reply);
	if (exit_code == EXIT_DONE) {
		enrolment_code_format(code, code_text);
		print_invited(line, reply, code_text, invite.until_ms);
	}
	explicit_bzero(code, sizeof code);
	explicit_bzero(code_text, sizeof code_text);
	cpis_reply_free(reply);
	connection_close(&connection);
	return exit_code;
}

// ------------------------------------------------------------------ withdraw

static int run_withdraw(const struct command_line *line)
{
	struct connection connection = {0};
	Cpis__V1__EnrolWithdrawRequest withdraw = CPIS__V1__ENROL_WITHDRAW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	int code = enrol_check_system(line);
	if (code != EXIT_DONE)
		return code;
	withdraw.organisation = text(line, "ods");
	withdraw.system_name = text(line, "name");
	withdraw.reason = text(line, "reason");
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL_WITHDRAW;
	request.enrol_withdraw = &withdraw;
	code = connection_sign_in(line, &connection);
	if (code == EXIT_DONE)
		code = connection_call_signed(&connection, &request, &reply);
	bool nothing = code == EXIT_DONE && !reply->enrol_withdraw->withdrawn;
	if (code == EXIT_DONE && line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, "withdrawn", json_boolean(!nothing));
		output_json(value);
	} else if (code == EXIT_DONE) {
		puts(nothing ? "There was nothing to withdraw." : "Withdrawn: its code is void.");
		output_receipt(reply);
	}
	cpis_reply_free(reply);
	connection_close(&connection);
	return code == EXIT_DONE && nothing ? EXIT_PARTIAL : code;
}

// ------------------------------------------------------------------ list

// The key says its own fingerprint: that of the reply is not taken on trust.
static bool fingerprint_is_true(const Cpis__V1__Enrolment *enrolment)
{
	char own[PUBLIC_KEY_FINGERPRINT_BYTES];
	return enrolment->public_key.len == 0 || (public_key_fingerprint(enrolment->public_key.data, own) &&
						  strcmp(own, enrolment->fingerprint) == 0);
}

static json_t *enrolment_value(const Cpis__V1__Enrolment *enrolment)
{
	char pem[PUBLIC_KEY_PEM_BYTES] = "";
	json_t *value = json_pack("{s:s, s:s, s:s, s:s, s:I}", "organisation", enrolment->organisation, "system_name",
				  enrolment->system_name, "state", wire_enrolment_state_name(enrolment->state),
				  "invited_by", enrolment->invited_by, "audit_index", (json_int_t)enrolment->audit_index);
	json_object_set_new(value, "invited", output_instant(enrolment->invited_ms));
	json_object_set_new(value, "until", output_instant(enrolment->until_ms));
	json_object_set_new(value, "presented", output_instant(enrolment->presented_ms));
	bool has_key = enrolment->public_key.len != 0;
	if (has_key)
		public_key_pem(enrolment->public_key.data, pem);
	json_object_set_new(value, "fingerprint", has_key ? json_string(enrolment->fingerprint) : json_null());
	json_object_set_new(value, "public_key", has_key ? json_string(pem) : json_null());
	return value;
}

static void print_enrolment(const Cpis__V1__Enrolment *enrolment)
{
	char invited[17], until[17], presented[17];
	output_english_time(enrolment->invited_ms, invited);
	output_english_time(enrolment->until_ms, until);
	printf("%s %s/%s\n  invited %s by %s, audit record %llu, until %s\n", wire_enrolment_state_name(enrolment->state),
	       enrolment->organisation, enrolment->system_name, invited, enrolment->invited_by,
	       (unsigned long long)enrolment->audit_index, until);
	if (enrolment->presented_ms == 0)
		return;
	output_english_time(enrolment->presented_ms, presented);
	printf("  key %s, presented %s\n", enrolment->fingerprint, presented);
}

static void print_list(const Cpis__V1__Reply *reply, bool json)
{
	const Cpis__V1__EnrolListReply *list = reply->enrol_list;
	if (json) {
		json_t *value = output_envelope(reply), *enrolments = json_array();
		for (size_t i = 0; i < list->n_enrolments; i++)
			json_array_append_new(enrolments, enrolment_value(list->enrolments[i]));
		json_object_set_new(value, "enrolments", enrolments);
		json_object_set_new(value, "more", json_boolean(list->more));
		output_json(value);
		return;
	}
	for (size_t i = 0; i < list->n_enrolments; i++)
		print_enrolment(list->enrolments[i]);
	if (list->n_enrolments == 0)
		puts("There are no open invitations.");
	if (list->more)
		puts("There is more than fits one answer.");
	output_receipt(reply);
}

// Named by its fingerprint, which is what was compared. Beside and then into place.
static bool save_key(const char *directory, const Cpis__V1__Enrolment *enrolment, char path[4200])
{
	char pem[PUBLIC_KEY_PEM_BYTES], beside[4220];
	snprintf(path, 4200, "%.4100s/%s.pem", directory, enrolment->fingerprint);
	snprintf(beside, sizeof beside, "%s.new", path);
	public_key_pem(enrolment->public_key.data, pem);
	int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (file < 0)
		return false;
	bool written = write(file, pem, strlen(pem)) == (ssize_t)strlen(pem);
	written = close(file) == 0 && written && rename(beside, path) == 0;
	if (!written)
		unlink(beside);
	return written;
}

static int save_keys(const struct command_line *line, const Cpis__V1__EnrolListReply *list)
{
	const char *directory = command_value(line, "save-keys");
	char path[4200];
	for (size_t i = 0; directory != NULL && i < list->n_enrolments; i++) {
		const Cpis__V1__Enrolment *enrolment = list->enrolments[i];
		if (enrolment->state != CPIS__V1__ENROLMENT_STATE__WAITING || enrolment->public_key.len == 0)
			continue;
		if (!save_key(directory, enrolment, path)) {
			fprintf(stderr, "cpis enrol list: %s: %s\n", path, strerror(errno));
			return EXIT_FAILED;
		}
		fprintf(stderr, "saved: %s\n", path);
	}
	return EXIT_DONE;
}

static int check_list(const Cpis__V1__EnrolListReply *list)
{
	for (size_t i = 0; i < list->n_enrolments; i++)
		if (!fingerprint_is_true(list->enrolments[i])) {
			fprintf(stderr, "cpis enrol list: the broker gives the key of %s/%s another fingerprint than it has\n",
				list->enrolments[i]->organisation, list->enrolments[i]->system_name);
			return EXIT_FAILED;
		}
	return EXIT_DONE;
}

static int run_list(const struct command_line *line)
{
	struct connection connection = {0};
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__EnrolListRequest list = CPIS__V1__ENROL_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	struct stat status;
	const char *directory = command_value(line, "save-keys");
	if (directory != NULL && (stat(directory, &status) != 0 || !S_ISDIR(status.st_mode)))
		return command_usage_error(line, "--save-keys %s is not a directory", directory);
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL_LIST;
	request.enrol_list = &list;
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	code = connection_call(&connection, &request, &reply);
	if (code == EXIT_DONE)
		code = check_list(reply->enrol_list);
	if (code == EXIT_DONE) {
		print_list(reply, line->json);
		code = save_keys(line, reply->enrol_list);
	}
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

// ------------------------------------------------------------------ the table

#define SYSTEM_OPTIONS                                                    \
	{"ods", "CODE", "the organisation's ODS code", OPTION_REQUIRED},  \
	{"name", "NAME", "of the system, as its certificate will bear it", OPTION_REQUIRED}, \
	{"reason", "TEXT", "why, in words: it is kept in the audit log", OPTION_WORDS}

static const struct command_option invite_options[] = {
	SYSTEM_OPTIONS,
	{"until", "TIME", "ends then, at most 14 days from now (default: in 7 days)", OPTION_OPTIONAL},
	{0},
};
static const struct command_option withdraw_options[] = {SYSTEM_OPTIONS, {0}};
static const struct command_option list_options[] = {
	{"save-keys", "DIR", "write the keys that wait to DIR/FINGERPRINT.pem, for `cpis certs`", OPTION_OPTIONAL},
	{0},
};

static const struct command commands[] = {
	{.name = "enrol invite",
	 .operands = "",
	 .help = "Invites a new system and prints its one-time code, once. Again for the same system replaces the invitation.\n"
		 "Signed with your key.",
	 .options = invite_options,
	 .run = run_invite},
	{.name = "enrol list",
	 .operands = "",
	 .help = "Who is invited, and whose key waits for a certificate. Compare its fingerprint with the system's operator over\n"
		 "the telephone before anybody issues one.",
	 .options = list_options,
	 .run = run_list},
	{.name = "enrol withdraw",
	 .operands = "",
	 .help = "Ends an invitation. Signed with your key. Exit code 5 when there was nothing to withdraw.",
	 .options = withdraw_options,
	 .run = run_withdraw},
	{.name = "enrol present",
	 .operands = "",
	 .help = "The new system's own part: shows the one-time code and prints the fingerprint of the key; once the certificate is\n"
		 "issued, checks it and writes it. Run it again with the same code to ask how it stands.",
	 .options = enrol_present_options,
	 .offline = true,
	 .run = enrol_present},
};

int command_enrol(int argc, char **argv)
{
	return command_dispatch_group("enrol",
				      "New systems: a registrar invites one, its key comes with the one-time code, its certificate\n"
				      "is issued for that key.",
				      commands, sizeof commands / sizeof commands[0], argc, argv);
}
