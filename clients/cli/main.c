// `cpis`: picks the subcommand.
#include <stdio.h>
#include <string.h>

#include "clients/cli/command_line.h"
#include "clients/cli/commands.h"
#include "clients/cli/profile.h"

static const struct {
	const char *name, *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"query", "is a child known to children's social care, and whom to ring", command_query},
	{"publish", "publish, correct or withdraw a local authority's plans", command_publish},
	{"contacts", "whom to ring at a local authority", command_contacts},
	{"quality", "how good a local authority's data is", command_quality},
	{"inbox", "read and acknowledge what this organisation was told", command_inbox},
	{"enquiry", "ask the care setting that looked; answer", command_enquiry},
	{"not-brought", "tell social care that a child on a plan missed an appointment", command_not_brought},
	{"audit", "search, show and verify the audit log", command_audit},
	{"witness", "watch the audit log from outside and cosign what is proven", command_witness},
	{"alert", "what your organisation's privacy officer must look into", command_alert},
	{"extract", "an authority's plans in one encrypted file, for when the service is not there", command_extract},
	{"assurance", "what there is evidence for of the ten data security standards", command_assurance},
	{"explain", "may this person do this here, and why", command_explain},
	{"policy", "the policy in force, and putting another one in its place", command_policy},
	{"role", "who holds which role at your organisation", command_role},
	{"retention", "how long the audit log can be read, and legal holds", command_retention},
	{"quarantine", "hold back a system, a person, an organisation or a certificate, at once", command_quarantine},
	{"enrol", "new systems: inviting them, and a new system's own part", command_enrol},
	{"certs", "certificates: the registration authority's work", command_certs},
	{"top", "how the broker runs, in figures; for operators", command_top},
	{"drill", "rehearse incidents in a service beside the live one, and time them", command_drill},
	{"ping", "ask the broker for a sign of life", command_ping},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void print_help(FILE *stream)
{
	fputs("usage: cpis [--profile FILE] [--json] [--timeout MS] COMMAND ...\n\n", stream);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(stream, "  %-11s %s\n", commands[i].name, commands[i].help);
	fputs("\n`cpis COMMAND --help` says more. $CPIS_PROFILE stands in for --profile.\n\nExit codes:\n", stream);
#define X(name, value, sentence) fprintf(stream, "  %d  %s\n", value, sentence);
	EXIT_CODE_TABLE(X)
#undef X
}

// What the manual and the completions are made from.
static int describe(const char *topic)
{
	char option[] = COMMAND_DESCRIBE, name[] = "cpis", *arguments[] = {name, option, NULL};
	if (strcmp(topic, "exit-codes") == 0) {
		puts("| code | meaning |\n| --- | --- |");
#define X(name, value, sentence) printf("| %d | %s |\n", value, sentence);
		EXIT_CODE_TABLE(X)
#undef X
	} else if (strcmp(topic, "commands") == 0) {
		puts("| command | what for |\n| --- | --- |");
		for (size_t i = 0; i < COMMANDS; i++)
			printf("| `cpis %s` | %s |\n", commands[i].name, commands[i].help);
	} else if (strcmp(topic, "options") == 0) {
		for (size_t i = 0; i < COMMANDS; i++)
			(void)commands[i].run(2, arguments);
	} else if (strcmp(topic, "profile-keys") == 0) {
		profile_print_keys(stdout);
	} else {
		fputs("cpis: --describe knows commands, options, exit-codes and profile-keys\n", stderr);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], COMMAND_DESCRIBE) == 0)
		return describe(argv[2]);
	int at = 1;
	// Options before the command belong to it; only how many words each takes is known here.
	while (at < argc && argv[at][0] == '-') {
		if (strcmp(argv[at], "--help") == 0) {
			print_help(stdout);
			return EXIT_DONE;
		}
		if (strcmp(argv[at], "--version") == 0) {
			puts("cpis " CPIS_VERSION);
			return EXIT_DONE;
		}
		at += strcmp(argv[at], "--profile") == 0 || strcmp(argv[at], "--timeout") == 0 || strcmp(argv[at], "--traceparent") == 0 ? 2 : 1;
	}
	if (at >= argc) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[at], commands[i].name) != 0)
			continue;
		// The command's name goes to the front, the options before it follow.
		char *name = argv[at];
		memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof *argv);
		argv[1] = name;
		return commands[i].run(argc - 1, argv + 1);
	}
	command_unknown(NULL, argv[at]);
	print_help(stderr);
	return EXIT_USAGE;
}
