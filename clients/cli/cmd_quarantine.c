// `cpis quarantine`: holding back what cannot wait for a revocation, and letting it go again.
#include <stdio.h>
#include <string.h>

#include "certs/identity.h"
#include "clients/cli/brokers.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"
#include "proto/date.h"

struct target {
	Cpis__V1__QuarantineKind kind;
	char text[QUARANTINE_TARGET_BYTES_MAX + 1];
};

static const struct {
	const char *option;
	Cpis__V1__QuarantineKind kind;
} kinds[] = {
	{"system", CPIS__V1__QUARANTINE_KIND__SYSTEM},
	{"organisation", CPIS__V1__QUARANTINE_KIND__ORGANISATION},
	{"person", CPIS__V1__QUARANTINE_KIND__PERSON},
	{"certificate", CPIS__V1__QUARANTINE_KIND__CERTIFICATE},
};

// A certificate is named by its file, for people, or by its serial number.
static bool read_serial(const char *value, char out[QUARANTINE_TARGET_BYTES_MAX + 1])
{
	struct certificate_description description;
	char detail[CERTS_DETAIL_BYTES];
	if (strspn(value, "0123456789abcdef") == strlen(value)) {
		snprintf(out, QUARANTINE_TARGET_BYTES_MAX + 1, "%s", value);
		return true;
	}
	if (certificate_describe_file(value, &description, detail) != CERTS_OK)
		return false;
	certificate_serial_format(&description.serial, out);
	return true;
}

static int read_target(const struct command_line *line, struct target *ret)
{
	unsigned given = 0;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		const char *value = command_value(line, kinds[i].option);
		if (value == NULL)
			continue;
		given++;
		ret->kind = kinds[i].kind;
		if (strlen(value) > QUARANTINE_TARGET_BYTES_MAX && ret->kind != CPIS__V1__QUARANTINE_KIND__CERTIFICATE)
			return command_usage_error(line, "--%s is too long", kinds[i].option);
		if (ret->kind != CPIS__V1__QUARANTINE_KIND__CERTIFICATE)
			snprintf(ret->text, sizeof ret->text, "%s", value);
		else if (!read_serial(value, ret->text))
			return command_usage_error(line, "--certificate %s is neither a certificate file nor a serial number",
						   value);
	}
	if (given != 1)
		return command_usage_error(line, "give one of --system, --organisation, --person and --certificate");
	return EXIT_DONE;
}

static int read_until(const struct command_line *line, uint64_t *ret)
{
	const char *until = command_value(line, "until");
	*ret = 0;
	if (until != NULL && !instant_parse(until, strlen(until), ret))
		return command_usage_error(line, "--until is like 2026-11-23 or 2026-11-23T03:00:00Z");
	return EXIT_DONE;
}

static bool is_unknown(const Cpis__V1__Reply *reply)
{
	return reply->body_case == CPIS__V1__REPLY__BODY_QUARANTINE_SET && !reply->quarantine_set->known;
}

struct act {
	Cpis__V1__Request *request;
	const char *said; // when it is done
};

static int act_at(struct connection *connection, void *context)
{
	const struct act *act = context;
	const Cpis__V1__Reply *reply = NULL;
	int code = connection_call_signed(connection, act->request, &reply);
	bool nothing = code == EXIT_DONE && reply->body_case == CPIS__V1__REPLY__BODY_QUARANTINE_LIFT &&
		       !reply->quarantine_lift->lifted;
	if (code == EXIT_DONE && connection->line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, "changed", json_boolean(!nothing));
		json_object_set_new(value, "target_known", json_boolean(!is_unknown(reply)));
		output_json(value);
	} else if (code == EXIT_DONE) {
		puts(nothing ? "There was nothing to lift." : act->said);
		if (is_unknown(reply))
			puts(act->request->quarantine_set->kind == CPIS__V1__QUARANTINE_KIND__CERTIFICATE
				     ? "No enrolled system has this certificate: that is so of a person's; else check it."
				     : "Nothing of that name is known to the broker: check the spelling.");
		output_receipt(reply);
	}
	cpis_reply_free(reply);
	return code == EXIT_DONE && nothing ? EXIT_PARTIAL : code;
}

// `still` says what a broker does as long as it is not done there.
static int act(const struct command_line *line, struct act *act, const char *still, const struct target *target)
{
	char meanwhile[QUARANTINE_TARGET_BYTES_MAX + 80];
	snprintf(meanwhile, sizeof meanwhile, "%s %s %s", still, wire_quarantine_kind_name(target->kind), target->text);
	return brokers_act(line, act_at, act, meanwhile);
}

static int run_set(const struct command_line *line)
{
	struct target target = {0};
	Cpis__V1__QuarantineSetRequest set = CPIS__V1__QUARANTINE_SET_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	int code = read_target(line, &target);
	if (code == EXIT_DONE)
		code = read_until(line, &set.until_ms);
	if (code != EXIT_DONE)
		return code;
	set.kind = target.kind;
	set.target = target.text;
	set.reason = (char *)(uintptr_t)command_value(line, "reason");
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	request.quarantine_set = &set;
	struct act held_back = {&request, "Quarantined: from now on it is not answered."};
	return act(line, &held_back, "still answers", &target);
}

static int run_lift(const struct command_line *line)
{
	struct target target = {0};
	Cpis__V1__QuarantineLiftRequest lift = CPIS__V1__QUARANTINE_LIFT_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	int code = read_target(line, &target);
	if (code != EXIT_DONE)
		return code;
	lift.kind = target.kind;
	lift.target = target.text;
	lift.reason = (char *)(uintptr_t)command_value(line, "reason");
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_LIFT;
	request.quarantine_lift = &lift;
	struct act lifted = {&request, "Lifted: from now on it is answered again."};
	return act(line, &lifted, "still holds back", &target);
}

static json_t *entry_value(const Cpis__V1__QuarantineEntry *entry)
{
	json_t *value = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "kind", wire_quarantine_kind_name(entry->kind),
				  "target", entry->target, "reason", entry->reason, "owner_uid", entry->owner_uid,
				  "owner_name", entry->owner_name, "owner_organisation", entry->owner_organisation,
				  "audit_index", (json_int_t)entry->audit_index);
	json_object_set_new(value, "since", output_instant(entry->since_ms));
	json_object_set_new(value, "until", output_instant(entry->until_ms));
	return value;
}

static void print_entry(const Cpis__V1__QuarantineEntry *entry)
{
	char since[17], until[17];
	output_english_time(entry->since_ms, since);
	output_english_time(entry->until_ms, until);
	printf("%s %s\n  since %s, %s%s\n  by %s (%s) of %s, audit record %llu\n  %s\n",
	       wire_quarantine_kind_name(entry->kind), entry->target, since,
	       entry->until_ms == 0 ? "until it is lifted" : "until ", entry->until_ms == 0 ? "" : until,
	       entry->owner_name, entry->owner_uid, entry->owner_organisation, (unsigned long long)entry->audit_index,
	       entry->reason);
}

static void print_list(const Cpis__V1__Reply *reply, bool json)
{
	const Cpis__V1__QuarantineListReply *list = reply->quarantine_list;
	if (json) {
		json_t *value = output_envelope(reply), *entries = json_array();
		for (size_t i = 0; i < list->n_entries; i++)
			json_array_append_new(entries, entry_value(list->entries[i]));
		json_object_set_new(value, "entries", entries);
		json_object_set_new(value, "more", json_boolean(list->more));
		output_json(value);
		return;
	}
	for (size_t i = 0; i < list->n_entries; i++)
		print_entry(list->entries[i]);
	if (list->n_entries == 0)
		puts("Nothing is quarantined.");
	if (list->more)
		puts("There is more than fits one answer.");
	output_receipt(reply);
}

static int run_list(const struct command_line *line)
{
	struct connection connection = {0};
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__QuarantineListRequest list = CPIS__V1__QUARANTINE_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_LIST;
	request.quarantine_list = &list;
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	code = connection_call(&connection, &request, &reply);
	if (code == EXIT_DONE)
		print_list(reply, line->json);
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

#define TARGET_OPTIONS                                                                               \
	{"system", "ODS/NAME", "a system, as its certificate names it", OPTION_OPTIONAL},            \
	{"organisation", "ODS", "all systems and sessions of an organisation", OPTION_OPTIONAL},     \
	{"person", "UID", "a member of staff, in every role", OPTION_OPTIONAL},                      \
	{"certificate", "FILE|SERIAL", "one certificate, of a system or a person", OPTION_OPTIONAL}, \
	{"reason", "TEXT", "why, in words: it is kept in the audit log", OPTION_WORDS}

static const struct command_option set_options[] = {
	TARGET_OPTIONS,
	{"until", "TIME", "ends by itself then (default: when it is lifted)", OPTION_OPTIONAL},
	{0},
};
static const struct command_option lift_options[] = {TARGET_OPTIONS, {0}};

static const struct command commands[] = {
	{.name = "quarantine set",
	 .operands = "",
	 .help = "Holds back one system, organisation, person or certificate: from the next message on it is not answered, on\n"
		 "connections and in sessions that are open too. Signed with your key.",
	 .options = set_options,
	 .run = run_set},
	{.name = "quarantine lift",
	 .operands = "",
	 .help = "Lets it go again. Signed with your key. Exit code 5 when there was nothing to lift.",
	 .options = lift_options,
	 .run = run_lift},
	{.name = "quarantine list", .operands = "", .help = "What is held back now, by whom and why.", .run = run_list},
};

int command_quarantine(int argc, char **argv)
{
	return command_dispatch_group("quarantine",
				      "Holding back at once what cannot wait for a revocation; for registration authorities.",
				      commands, sizeof commands / sizeof commands[0], argc, argv);
}
