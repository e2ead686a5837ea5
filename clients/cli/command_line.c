// Parsing by getopt_long, from a command's table.
#include "clients/cli/command_line.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/argument.h"
#include "clients/cli/commands.h"
#include "proto/limits.h"

#define OPTIONS_MAX 40

static const struct command_option online_options[] = {
	{"profile", "FILE", "who and where you are (default: $CPIS_PROFILE)", OPTION_OPTIONAL},
	{"timeout", "MS", "how long to wait for an answer, 1 to 60000 (default: 10000)", OPTION_OPTIONAL},
	{"traceparent", "TEXT", "what this is done for, by W3C Trace Context: kept in the audit log (default: $TRACEPARENT)", OPTION_OPTIONAL},
	{0},
};
static const struct command_option json_options[] = {
	{"json", NULL, "print JSON instead of text", OPTION_OPTIONAL},
	{0},
};
static const struct command_option help_options[] = {
	{"help", NULL, "print this", OPTION_OPTIONAL},
	{0},
};

// All of a command's options in one array, ended by a NULL name.
static void collect(const struct command *command, struct command_option out[OPTIONS_MAX])
{
	const struct command_option *tables[] = {command->options, command->offline ? NULL : online_options,
						 command->text_only ? NULL : json_options, help_options};
	unsigned count = 0;
	for (unsigned i = 0; i < sizeof tables / sizeof tables[0]; i++)
		for (const struct command_option *option = tables[i]; option != NULL && option->name != NULL; option++)
			if (count < OPTIONS_MAX - 1)
				out[count++] = *option;
	out[count] = (struct command_option){0};
}

static bool is_needed(const struct command_option *option)
{
	return option->kind == OPTION_REQUIRED || option->kind == OPTION_WORDS;
}

static void print_help(const struct command *command)
{
	struct command_option options[OPTIONS_MAX];
	collect(command, options);
	printf("usage: cpis %s [OPTION]...%s%s\n\n%s\n\n", command->name, command->operands[0] == '\0' ? "" : " ",
	       command->operands, command->help);
	for (const struct command_option *option = options; option->name != NULL; option++) {
		char left[60];
		snprintf(left, sizeof left, "--%s%s%s", option->name, option->value == NULL ? "" : " ",
			 option->value == NULL ? "" : option->value);
		printf("  %-34s %s%s\n", left, option->help, is_needed(option) ? " (needed)" : "");
	}
}

// For the manual and for completions: a heading, what it does, a row for each option.
static void describe(const struct command *command)
{
	struct command_option options[OPTIONS_MAX];
	collect(command, options);
	printf("## cpis %s%s%s\n\n%s\n\n", command->name, command->operands[0] == '\0' ? "" : " ", command->operands, command->help);
	puts("| option | value | meaning |\n| --- | --- | --- |");
	for (const struct command_option *option = options; option->name != NULL; option++)
		printf("| `--%s` | %s | %s%s |\n", option->name, option->value == NULL ? "" : option->value, option->help,
		       is_needed(option) ? " (needed)" : option->kind == OPTION_REPEATABLE ? " (may be repeated)" : "");
	putchar('\n');
}

static bool is_description(int argc, char **argv)
{
	return argc == 2 && strcmp(argv[1], COMMAND_DESCRIBE) == 0;
}

int command_usage_error(const struct command_line *line, const char *format, ...)
{
	va_list arguments;
	fprintf(stderr, "cpis %s: ", line->command->name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "; see cpis %s --help\n", line->command->name);
	return EXIT_USAGE;
}

bool command_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	if (text[0] == '\0')
		return false;
	for (const char *c = text; *c != '\0'; c++) {
		if (*c < '0' || *c > '9' || __builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (unsigned)(*c - '0'), &value))
			return false;
	}
	if (value < min || value > max)
		return false;
	*ret = value;
	return true;
}

const char *command_value_at(const struct command_line *line, const char *option, unsigned number)
{
	for (unsigned i = 0; i < line->value_count; i++)
		if (strcmp(line->values[i].option, option) == 0 && number-- == 0)
			return line->values[i].value;
	return NULL;
}

const char *command_value(const struct command_line *line, const char *option)
{
	return command_value_at(line, option, 0);
}

static int take_value(struct command_line *line, const struct command_option *option, const char *value)
{
	if (option->kind != OPTION_REPEATABLE && command_value(line, option->name) != NULL)
		return command_usage_error(line, "--%s stands twice", option->name);
	if (line->value_count == COMMAND_LINE_VALUES_MAX)
		return command_usage_error(line, "too many options");
	line->values[line->value_count].option = option->name;
	line->values[line->value_count++].value = value == NULL ? "" : value;
	return EXIT_DONE;
}

// What stands before '=': the value behind it may be a child's number.
static int option_name_bytes(const char *word)
{
	return (int)strcspn(word, "=");
}

static int read_options(struct command_line *line, int argc, char **argv)
{
	struct command_option options[OPTIONS_MAX];
	struct option long_options[OPTIONS_MAX] = {0};
	int at = 0, code = EXIT_DONE;
	collect(line->command, options);
	for (unsigned i = 0; options[i].name != NULL; i++)
		long_options[i] = (struct option){options[i].name,
						  options[i].value == NULL ? no_argument : required_argument, NULL, 0};
	optind = 0; // glibc: start over
	opterr = 0;
	for (int found; code == EXIT_DONE && (found = getopt_long(argc, argv, ":", long_options, &at)) != -1;) {
		if (found == '?')
			code = command_usage_error(line, "unknown option %.*s", option_name_bytes(argv[optind - 1]),
						   argv[optind - 1]);
		else if (found == ':')
			code = command_usage_error(line, "%s needs a value", argv[optind - 1]);
		else
			code = take_value(line, &options[at], optarg);
	}
	line->operands = argv + optind;
	line->operand_count = argc - optind;
	return code;
}

// The broker would refuse it as a message that it cannot read. Nothing in the place of words that need not be said is nothing said.
static bool is_too_short(const struct command_option *option, const char *value)
{
	return (option->kind == OPTION_WORDS || (option->kind == OPTION_WORDS_OPTIONAL && value[0] != '\0')) &&
	       argument_characters(value) < REASON_CHARACTERS_MIN;
}

static int check(struct command_line *line)
{
	uint64_t timeout_ms = TIMEOUT_MS_DEFAULT;
	const char *timeout = command_value(line, "timeout");
	if (timeout != NULL && !command_number(timeout, 1, DEADLINE_MS_MAX, &timeout_ms))
		return command_usage_error(line, "--timeout is a number from 1 to %u", DEADLINE_MS_MAX);
	line->timeout_ms = (uint32_t)timeout_ms;
	line->json = command_value(line, "json") != NULL;
	line->profile = command_value(line, "profile");
	if (line->profile == NULL)
		line->profile = getenv("CPIS_PROFILE");
	for (const struct command_option *option = line->command->options; option != NULL && option->name != NULL; option++) {
		const char *value = command_value(line, option->name);
		if (is_needed(option) && value == NULL)
			return command_usage_error(line, "--%s is missing", option->name);
		if (value != NULL && is_too_short(option, value))
			return command_usage_error(line, "--%s has less than %u characters: say it in words", option->name, REASON_CHARACTERS_MIN);
	}
	if (line->operand_count < line->command->operands_min)
		return command_usage_error(line, "%s is missing", line->command->operands);
	// Not repeated in the message: it may be a child's number.
	if (line->operand_count > line->command->operands_max)
		return command_usage_error(line, "too many words on the command line");
	return EXIT_DONE;
}

int command_dispatch(const struct command *command, int argc, char **argv)
{
	struct command_line line = {.command = command};
	if (is_description(argc, argv)) {
		describe(command);
		return EXIT_DONE;
	}
	int code = read_options(&line, argc, argv);
	if (code != EXIT_DONE)
		return code;
	if (command_value(&line, "help") != NULL) {
		print_help(command);
		return EXIT_DONE;
	}
	code = check(&line);
	return code == EXIT_DONE ? command->run(&line) : code;
}

static void print_group(FILE *stream, const char *group, const char *help, const struct command *commands,
			unsigned command_count)
{
	fprintf(stream, "usage: cpis %s COMMAND [OPTION]...\n\n%s\n\n", group, help);
	for (unsigned i = 0; i < command_count; i++)
		fprintf(stream, "  cpis %s %s\n", commands[i].name, commands[i].operands);
	fprintf(stream, "\n`cpis %s COMMAND --help` says more.\n", group);
}

void command_unknown(const char *group, const char *word)
{
	// A word with digits may be a child's number that stands in the wrong place.
	bool plain = strpbrk(word, "0123456789") == NULL;
	fprintf(stderr, "cpis%s%s: unknown command%s%s\n", group == NULL ? "" : " ", group == NULL ? "" : group,
		plain ? " " : "", plain ? word : "");
}

int command_dispatch_group(const char *group, const char *help, const struct command *commands, unsigned command_count,
			   int argc, char **argv)
{
	for (unsigned i = 0; i < command_count && is_description(argc, argv); i++) {
		if (commands[i].group != NULL)
			(void)commands[i].group(argc, argv);
		else
			describe(&commands[i]);
	}
	if (is_description(argc, argv))
		return EXIT_DONE;
	// Options may stand before the command's name: `cpis --json inbox list` arrives as `inbox --json list`.
	int at = 1;
	while (at < argc && argv[at][0] == '-') {
		if (strcmp(argv[at], "--help") == 0) {
			print_group(stdout, group, help, commands, command_count);
			return EXIT_DONE;
		}
		at += strcmp(argv[at], "--profile") == 0 || strcmp(argv[at], "--timeout") == 0 || strcmp(argv[at], "--traceparent") == 0 ? 2 : 1;
	}
	for (unsigned i = 0; at < argc && i < command_count; i++) {
		const char *word = strrchr(commands[i].name, ' ') + 1;
		if (strcmp(argv[at], word) != 0)
			continue;
		memmove(argv + 1, argv, (size_t)at * sizeof *argv);
		if (commands[i].group != NULL)
			return commands[i].group(argc - 1, argv + 1);
		return command_dispatch(&commands[i], argc - 1, argv + 1);
	}
	if (at < argc)
		command_unknown(group, argv[at]);
	else
		fprintf(stderr, "cpis %s: which command?\n", group);
	print_group(stderr, group, help, commands, command_count);
	return EXIT_USAGE;
}
