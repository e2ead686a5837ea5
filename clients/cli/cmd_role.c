// `cpis role`: granting and ending role profiles, and finding those that nobody uses.
#include <stdio.h>
#include <string.h>

#include "clients/cli/brokers.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"
#include "proto/date.h"
#include "proto/text.h"

static int read_profile(const struct command_line *line)
{
	const char *uid = command_value(line, "uid"), *role = command_value(line, "role");
	if (uid == NULL || !text_is_digits(uid, strlen(uid), UID_DIGITS))
		return command_usage_error(line, "--uid is a staff id of 12 digits");
	if (role == NULL || !text_is_role_code(role, strlen(role)))
		return command_usage_error(line, "--role is a role code, e.g. R8001");
	return EXIT_DONE;
}

static int read_instant(const struct command_line *line, const char *option, uint64_t *ret)
{
	const char *text = command_value(line, option);
	*ret = 0;
	if (text != NULL && !instant_parse(text, strlen(text), ret))
		return command_usage_error(line, "--%s is like 2026-11-23 or 2026-11-23T03:00:00Z", option);
	return EXIT_DONE;
}

// ------------------------------------------------------------------ grant

static int grant_at(struct connection *connection, void *context)
{
	Cpis__V1__Request *request = context;
	const Cpis__V1__Reply *reply = NULL;
	int code = connection_call_signed(connection, request, &reply);
	if (code == EXIT_DONE && connection->line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, "replaced", json_boolean(reply->role_grant->replaced));
		output_json(value);
	} else if (code == EXIT_DONE) {
		printf("%s %s at %s.\n", reply->role_grant->replaced ? "Granted anew:" : "Granted:",
		       request->role_grant->role_code, cpis_system_organisation(connection->client));
		output_receipt(reply);
	}
	cpis_reply_free(reply);
	return code;
}

static int run_grant(const struct command_line *line)
{
	Cpis__V1__RoleGrantRequest grant = CPIS__V1__ROLE_GRANT_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	char *activities[COMMAND_LINE_VALUES_MAX];
	int code = read_profile(line);
	if (code == EXIT_DONE)
		code = read_instant(line, "from", &grant.from_ms);
	if (code == EXIT_DONE)
		code = read_instant(line, "until", &grant.until_ms);
	if (code == EXIT_DONE)
		code = read_instant(line, "trained", &grant.trained_ms);
	if (code != EXIT_DONE)
		return code;
	grant.uid = (char *)(uintptr_t)command_value(line, "uid");
	grant.role_code = (char *)(uintptr_t)command_value(line, "role");
	grant.reason = (char *)(uintptr_t)command_value(line, "reason");
	for (const char *activity; (activity = command_value_at(line, "activity", (unsigned)grant.n_activities)) != NULL;)
		activities[grant.n_activities++] = (char *)(uintptr_t)activity;
	grant.activities = activities;
	request.body_case = CPIS__V1__REQUEST__BODY_ROLE_GRANT;
	request.role_grant = &grant;
	return brokers_act(line, grant_at, &request, "knows nothing of the role granted");
}

// ------------------------------------------------------------------ end

static int end_one(struct connection *connection, const char *uid, const char *role, const char *reason, bool *ret_ended)
{
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__RoleEndRequest end = CPIS__V1__ROLE_END_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	end.uid = (char *)(uintptr_t)uid;
	end.role_code = (char *)(uintptr_t)role;
	end.reason = (char *)(uintptr_t)reason;
	request.body_case = CPIS__V1__REQUEST__BODY_ROLE_END;
	request.role_end = &end;
	int code = connection_call_signed(connection, &request, &reply);
	if (code != EXIT_DONE)
		return code;
	*ret_ended = reply->role_end->ended;
	if (connection->line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, "uid", json_string(uid));
		json_object_set_new(value, "role_code", json_string(role));
		json_object_set_new(value, "ended", json_boolean(reply->role_end->ended));
		output_json(value);
	} else {
		printf("%s %s: %s.\n", uid, role, reply->role_end->ended ? "ended" : "there was none to end");
		output_receipt(reply);
	}
	cpis_reply_free(reply);
	return EXIT_DONE;
}

static int end_at(struct connection *connection, void *context)
{
	const struct command_line *line = connection->line;
	bool ended = false;
	(void)context;
	int code = end_one(connection, command_value(line, "uid"), command_value(line, "role"), command_value(line, "reason"),
			   &ended);
	return code == EXIT_DONE && !ended ? EXIT_PARTIAL : code;
}

static int run_end(const struct command_line *line)
{
	char meanwhile[80];
	int code = read_profile(line);
	if (code != EXIT_DONE)
		return code;
	snprintf(meanwhile, sizeof meanwhile, "still answers %s in the role %s", command_value(line, "uid"),
		 command_value(line, "role"));
	return brokers_act(line, end_at, NULL, meanwhile);
}

// ------------------------------------------------------------------ list, and end what is unused

static int ask_list(struct connection *connection, uint32_t unused_days, const char *uid, const char *role,
		    const Cpis__V1__Reply **ret)
{
	Cpis__V1__RoleListRequest list = CPIS__V1__ROLE_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	list.unused_days = unused_days;
	list.after_uid = (char *)(uintptr_t)uid;
	list.after_role_code = (char *)(uintptr_t)role;
	request.body_case = CPIS__V1__REQUEST__BODY_ROLE_LIST;
	request.role_list = &list;
	return connection_call(connection, &request, ret);
}

static void print_profile(const Cpis__V1__RoleProfile *profile)
{
	char from[17], until[17], used[17];
	output_english_time(profile->from_ms, from);
	output_english_time(profile->until_ms, until);
	output_english_time(profile->last_used_ms, used);
	printf("%s  %s %s\n  from %s%s%s, last used %s", profile->uid, profile->role_code, profile->role_name, from,
	       profile->until_ms == 0 ? "" : " until ", profile->until_ms == 0 ? "" : until,
	       profile->last_used_ms == 0 ? "never" : used);
	if (profile->trained_ms != 0) {
		output_english_time(profile->trained_ms, used);
		printf(", trained %.10s", used);
	}
	for (size_t i = 0; i < profile->n_activities; i++)
		printf("%s%s", i == 0 ? ", with " : " ", profile->activities[i]);
	if (profile->granted_by[0] != '\0')
		printf(", granted by %s (audit record %llu)", profile->granted_by,
		       (unsigned long long)profile->audit_index);
	putchar('\n');
}

static json_t *profile_value(const Cpis__V1__RoleProfile *profile)
{
	json_t *value = json_pack("{s:s, s:s, s:s, s:s}", "uid", profile->uid, "role_code", profile->role_code, "role_name",
				  profile->role_name, "granted_by", profile->granted_by);
	json_t *activities = json_array();
	for (size_t i = 0; i < profile->n_activities; i++)
		json_array_append_new(activities, json_string(profile->activities[i]));
	json_object_set_new(value, "activities", activities);
	json_object_set_new(value, "from", output_instant(profile->from_ms));
	json_object_set_new(value, "until", output_instant(profile->until_ms));
	json_object_set_new(value, "last_used", output_instant(profile->last_used_ms));
	json_object_set_new(value, "trained", output_instant(profile->trained_ms));
	return value;
}

static int read_days(const struct command_line *line, uint32_t *ret)
{
	const char *text = command_value(line, "unused-days");
	uint64_t days = 0;
	if (text != NULL && !command_number(text, 1, 36500, &days))
		return command_usage_error(line, "--unused-days is a number from 1 to 36500");
	*ret = (uint32_t)days;
	return EXIT_DONE;
}

// What is done with each profile; an exit code other than EXIT_DONE ends the walk.
typedef int each_profile(struct connection *connection, const Cpis__V1__RoleProfile *profile, void *context);

static int walk(struct connection *connection, uint32_t unused_days, each_profile *each, void *context)
{
	char uid[UID_DIGITS + 1] = "", role[ROLE_CODE_BYTES_MAX + 1] = "";
	for (bool more = true; more;) {
		const Cpis__V1__Reply *reply = NULL;
		int code = ask_list(connection, unused_days, uid, role, &reply);
		if (code != EXIT_DONE)
			return code;
		const Cpis__V1__RoleListReply *list = reply->role_list;
		more = list->more && list->n_profiles > 0;
		for (size_t i = 0; i < list->n_profiles && code == EXIT_DONE; i++) {
			snprintf(uid, sizeof uid, "%s", list->profiles[i]->uid);
			snprintf(role, sizeof role, "%s", list->profiles[i]->role_code);
			code = each(connection, list->profiles[i], context);
		}
		cpis_reply_free(reply);
		if (code != EXIT_DONE)
			return code;
	}
	return EXIT_DONE;
}

static int show_profile(struct connection *connection, const Cpis__V1__RoleProfile *profile, void *context)
{
	if (connection->line->json)
		json_array_append_new(context, profile_value(profile));
	else
		print_profile(profile);
	return EXIT_DONE;
}

static int end_profile(struct connection *connection, const Cpis__V1__RoleProfile *profile, void *context)
{
	bool ended;
	(void)context;
	return end_one(connection, profile->uid, profile->role_code, command_value(connection->line, "reason"), &ended);
}

static int sign_in_for_days(const struct command_line *line, struct connection *connection, uint32_t *ret_days)
{
	int code = read_days(line, ret_days);
	return code == EXIT_DONE ? connection_sign_in(line, connection) : code;
}

static int run_list(const struct command_line *line)
{
	struct connection connection = {0};
	uint32_t days;
	int code = sign_in_for_days(line, &connection, &days);
	if (code != EXIT_DONE)
		return code;
	json_t *profiles = json_array();
	code = walk(&connection, days, show_profile, profiles);
	if (code == EXIT_DONE && line->json)
		output_json(json_pack("{s:s, s:O}", "outcome", "OK", "profiles", profiles));
	json_decref(profiles);
	connection_close(&connection);
	return code;
}

static int run_end_unused(const struct command_line *line)
{
	struct connection connection = {0};
	uint32_t days;
	int code = sign_in_for_days(line, &connection, &days);
	if (code != EXIT_DONE)
		return code;
	code = walk(&connection, days, end_profile, NULL);
	connection_close(&connection);
	return code;
}

#define PROFILE_OPTIONS                                                                              \
	{"uid", "UID", "the person's staff id, 12 digits", OPTION_REQUIRED},                         \
	{"role", "CODE", "the role, e.g. R8001", OPTION_REQUIRED}
#define REASON_OPTION {"reason", "TEXT", "why, in words: it is kept in the audit log", OPTION_WORDS}

static const struct command_option grant_options[] = {
	PROFILE_OPTIONS,
	REASON_OPTION,
	{"from", "TIME", "holds from then on (default: now)", OPTION_OPTIONAL},
	{"until", "TIME", "ends by itself then (default: when it is ended)", OPTION_OPTIONAL},
	{"trained", "DATE", "when they last passed the yearly data security training", OPTION_OPTIONAL},
	{"activity", "CODE", "granted beyond the role, e.g. B0170; may be repeated", OPTION_REPEATABLE},
	{0},
};
static const struct command_option end_options[] = {PROFILE_OPTIONS, REASON_OPTION, {0}};
static const struct command_option list_options[] = {
	{"unused-days", "N", "only those that nobody used for N days", OPTION_OPTIONAL},
	{0},
};
static const struct command_option unused_options[] = {
	{"unused-days", "N", "those that nobody used for N days", OPTION_REQUIRED},
	REASON_OPTION,
	{0},
};

static const struct command commands[] = {
	{.name = "role grant",
	 .operands = "",
	 .help = "Gives a person a role at your organisation. Signed with your key.",
	 .options = grant_options,
	 .run = run_grant},
	{.name = "role end",
	 .operands = "",
	 .help = "Ends a person's role at your organisation: open sessions in it end with their next message. Signed with\n"
		 "your key. Exit code 5 when there was none to end.",
	 .options = end_options,
	 .run = run_end},
	{.name = "role list",
	 .operands = "",
	 .help = "The role profiles of your organisation that hold now or later, and when each was last used.",
	 .options = list_options,
	 .run = run_list},
	{.name = "role end-unused",
	 .operands = "",
	 .help = "Ends each role profile of your organisation that nobody used for so many days. `role list` with the same\n"
		 "number shows them first. Each is signed with your key.",
	 .options = unused_options,
	 .run = run_end_unused},
};

int command_role(int argc, char **argv)
{
	return command_dispatch_group("role", "Who holds which role at your organisation; for registration authorities.", commands,
				      sizeof commands / sizeof commands[0], argc, argv);
}
