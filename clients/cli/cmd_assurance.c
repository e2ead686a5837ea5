// `cpis assurance`: what there is evidence for of the ten data security standards.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/cli/assurance.h"
#include "clients/cli/commands.h"
#include "clients/cli/export_file.h"
#include "clients/cli/output.h"
#include "proto/date.h"

// ------------------------------------------------------------------ asking

void assurance_command(const struct assurance_asker *asker, char out[ASSURANCE_SOURCE_BYTES], const char *format, ...)
{
	va_list arguments;
	int used = snprintf(out, ASSURANCE_SOURCE_BYTES, "cpis --profile %s ", asker->line.profile);
	if (used < 0 || used >= ASSURANCE_SOURCE_BYTES)
		return;
	va_start(arguments, format);
	vsnprintf(out + used, (size_t)(ASSURANCE_SOURCE_BYTES - used), format, arguments);
	va_end(arguments);
}

static bool is_of(const struct assurance *assurance, const struct assurance_asker *asker)
{
	return strcmp(cpis_system_organisation(assurance->askers[0].connection.client),
		      cpis_system_organisation(asker->connection.client)) == 0;
}

int assurance_ask(struct assurance *assurance, enum assurance_scope scope, Cpis__V1__Request *request, const Cpis__V1__Reply **ret,
		  struct assurance_asker **ret_asker, char why[ASSURANCE_SOURCE_BYTES])
{
	*ret = NULL;
	why[0] = '\0';
	for (unsigned i = 0; i < assurance->askers_count; i++) {
		struct assurance_asker *asker = &assurance->askers[i];
		const Cpis__V1__Reply *reply = NULL;
		// Figures of another organisation would be taken for the own ones.
		if (scope == ASSURANCE_OWN && !is_of(assurance, asker))
			continue;
		enum cpis_status status = cpis_call(asker->connection.client, request, assurance->line->timeout_ms, &reply);
		if (status == CPIS_OK && reply->outcome == CPIS__V1__OUTCOME__ACCESS_DENIED) {
			size_t used = strlen(why);
			snprintf(why + used, (size_t)ASSURANCE_SOURCE_BYTES - used, "%s%s may not ask (%s)", used == 0 ? "" : "; ",
				 asker->line.profile, reply->reason_code);
			cpis_reply_free(reply);
			continue;
		}
		*ret_asker = asker;
		// Whatever else is wrong would make a report with holes that look like evidence.
		return connection_judge(&asker->connection, status, reply, ret);
	}
	return EXIT_DONE;
}

static int sign_in(struct assurance *assurance, const char *profile)
{
	if (assurance->askers_count == ASSURANCE_PROFILES_MAX)
		return command_usage_error(assurance->line, "at most %u profiles", ASSURANCE_PROFILES_MAX);
	struct assurance_asker *asker = &assurance->askers[assurance->askers_count];
	asker->line = *assurance->line;
	asker->line.profile = profile;
	int code = connection_sign_in(&asker->line, &asker->connection);
	assurance->askers_count += code == EXIT_DONE;
	return code;
}

static int sign_all_in(struct assurance *assurance)
{
	const char *profile;
	int code = sign_in(assurance, assurance->line->profile);
	for (unsigned i = 0; code == EXIT_DONE && (profile = command_value_at(assurance->line, "also", i)) != NULL; i++)
		code = sign_in(assurance, profile);
	return code;
}

// ------------------------------------------------------------------ what is asked for

static int read_days(const struct command_line *line, const char *option, uint64_t most, uint64_t default_days, uint64_t *ret)
{
	const char *text = command_value(line, option);
	*ret = default_days;
	if (text != NULL && !command_number(text, 1, most, ret))
		return command_usage_error(line, "--%s is a number from 1 to %llu", option, (unsigned long long)most);
	return EXIT_DONE;
}

static int read_time(const struct command_line *line, struct assurance *assurance)
{
	const char *text = command_value(line, "on");
	struct date day;
	// To the end of this second.
	assurance->now_ms = (uint64_t)time(NULL) * 1000 + 999;
	if (text != NULL) {
		if (!date_parse(text, strlen(text), &day) || day.day < 366)
			return command_usage_error(line, "--on is a day, like 2026-11-27");
		// To its end.
		assurance->now_ms = english_midnight_ms((struct date){day.day + 1}) - 1;
	}
	assurance->from_ms = assurance->now_ms - assurance->days * ASSURANCE_DAY_MS;
	return EXIT_DONE;
}

static int begin(const struct command_line *line, struct assurance *assurance)
{
	assurance->line = line;
	for (unsigned i = 0; i < ASSURANCE_STANDARDS; i++)
		assurance->figures[i] = json_array();
	int code = read_days(line, "days", 366, 30, &assurance->days);
	if (code == EXIT_DONE)
		code = read_days(line, "unused-days", 3660, 90, &assurance->unused_days);
	if (code == EXIT_DONE)
		code = read_days(line, "training-days", 3660, 365, &assurance->training_days);
	if (code == EXIT_DONE)
		code = read_days(line, "open-days", 3660, 14, &assurance->open_days);
	return code == EXIT_DONE ? read_time(line, assurance) : code;
}

static void end(struct assurance *assurance)
{
	for (unsigned i = 0; i < ASSURANCE_STANDARDS; i++)
		json_decref(assurance->figures[i]);
	for (unsigned i = 0; i < assurance->askers_count; i++)
		connection_close(&assurance->askers[i].connection);
}

// ------------------------------------------------------------------ the report

static char *text_of(const struct assurance *assurance)
{
	if (!assurance->line->json)
		return assurance_markdown(assurance);
	json_t *value = assurance_value(assurance);
	char *text = json_dumps(value, JSON_INDENT(2));
	json_decref(value);
	return text;
}

static int write_report(const struct assurance *assurance)
{
	const char *path = command_value(assurance->line, "out");
	char *text = text_of(assurance);
	int code = EXIT_DONE;
	errno = ENOMEM;
	if (text == NULL || (path != NULL && !export_file_replace(path, text, strlen(text)))) {
		fprintf(stderr, "cpis %s: %s%s%s\n", assurance->line->command->name, path == NULL ? "" : path, path == NULL ? "" : ": ",
			strerror(errno));
		code = EXIT_FAILED;
	} else if (path == NULL) {
		puts(text);
	}
	free(text);
	return code;
}

static int run(const struct command_line *line)
{
	struct assurance assurance = {0};
	int code = begin(line, &assurance);
	if (code == EXIT_DONE)
		code = sign_all_in(&assurance);
	if (code == EXIT_DONE)
		code = assurance_log(&assurance);
	if (code == EXIT_DONE)
		code = assurance_people(&assurance);
	if (code == EXIT_DONE)
		code = assurance_cases(&assurance);
	if (code == EXIT_DONE)
		code = assurance_service(&assurance);
	if (code == EXIT_DONE)
		code = assurance_files(&assurance);
	if (code == EXIT_DONE) {
		assurance_outside(&assurance);
		code = write_report(&assurance);
	}
	if (code == EXIT_DONE)
		assurance_summary(&assurance, command_value(line, "out") == NULL ? stderr : stdout);
	if (code == EXIT_DONE && command_value(line, "check") != NULL && assurance.attention > 0)
		code = EXIT_REFUSED;
	end(&assurance);
	return code;
}

static const struct command_option options[] = {
	{"also", "PROFILE", "ask as this person too: no role may see all of it. Of another organisation: about the service only", OPTION_REPEATABLE},
	{"days", "N", "the period, to now (default: 30)", OPTION_OPTIONAL},
	{"unused-days", "N", "a role profile is unused after so many days (default: 90)", OPTION_OPTIONAL},
	{"training-days", "N", "training is overdue after so many days (default: 365)", OPTION_OPTIONAL},
	{"open-days", "N", "a case is overdue after so many days (default: 14)", OPTION_OPTIONAL},
	{"on", "DAY", "as of the end of this day, and not of now", OPTION_OPTIONAL},
	{"sbom", "FILE", "the software bill of materials (make sbom)", OPTION_OPTIONAL},
	{"drill", "FILE", "a report of exercises", OPTION_REPEATABLE},
	{"certificate", "FILE", "a certificate whose end is watched, besides the profiles' own", OPTION_REPEATABLE},
	{"contact-sheet", "FILE", "the contact sheet that was printed", OPTION_OPTIONAL},
	{"out", "FILE", "write the report there, in place of what is there (default: standard output)", OPTION_OPTIONAL},
	{"check", NULL, "exit code 3 when something needs attention", OPTION_OPTIONAL},
	{0},
};

int command_assurance(int argc, char **argv)
{
	static const struct command command = {
		.name = "assurance",
		.operands = "",
		.help = "A report on the National Data Guardian's ten data security standards from what the broker and files show now: each\n"
			"figure with the command or file that gives it again, and \"no evidence\" where there is none. Markdown, or JSON\n"
			"with --json. What needs attention is said in one line at the end.",
		.options = options,
		.run = run,
	};
	return command_dispatch(&command, argc, argv);
}
