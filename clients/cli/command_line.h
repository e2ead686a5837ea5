// The command line of a subcommand, described by a table: parsing, complaints and --help come from the same words.
#ifndef CPIS_CLI_COMMAND_LINE_H
#define CPIS_CLI_COMMAND_LINE_H

#include <stdbool.h>
#include <stdint.h>


#define COMMAND_LINE_VALUES_MAX 32
#define TIMEOUT_MS_DEFAULT 10000u

struct command_option {
	const char *name;        // without the dashes; the end of a table has NULL
	const char *value;       // what it takes, for the help, e.g. "NAME"; NULL: a switch
	const char *help;        // one line
	// WORDS: needed, and of REASON_CHARACTERS_MIN characters at least, as the broker wants what people say in words.
	enum { OPTION_OPTIONAL, OPTION_REQUIRED, OPTION_REPEATABLE, OPTION_WORDS, OPTION_WORDS_OPTIONAL } kind;
};

struct command_line;
typedef int command_run(const struct command_line *line); // an exit code

struct command {
	const char *name;        // as typed after `cpis`, e.g. "audit search"
	const char *operands;    // for the help, e.g. "NHS_NUMBER"; "" when it takes none
	const char *help;        // sentences
	const struct command_option *options; // NULL: none of its own
	int operands_min, operands_max;
	bool offline;            // needs no broker: takes no --profile and no --timeout
	bool text_only;          // takes no --json
	bool unwitnessed;        // asks nothing that the profile wants witnesses for
	command_run *run;
	int (*group)(int argc, char **argv); // in place of `run`: a group of commands of its own
};

struct command_line {
	const struct command *command;
	const char *profile;     // --profile or CPIS_PROFILE; NULL: neither
	bool json;
	uint32_t timeout_ms;     // for each call
	char **operands;
	int operand_count;
	struct {
		const char *option, *value; // value "" for a switch
	} values[COMMAND_LINE_VALUES_MAX];
	unsigned value_count;
};

// In place of all options: prints the command as Markdown, with a heading and a row for each option, for the manual.
#define COMMAND_DESCRIBE "--describe"

// Parses and runs; argv[0] is the command's last word. Returns the exit code.
int command_dispatch(const struct command *command, int argc, char **argv);
// `cpis GROUP COMMAND ...`: picks the command by argv[1].
int command_dispatch_group(const char *group, const char *help, const struct command *commands, unsigned command_count,
			   int argc, char **argv);

// The option's value; NULL when it was not given.
const char *command_value(const struct command_line *line, const char *option);
// The value of an option given more than once; NULL past the last.
const char *command_value_at(const struct command_line *line, const char *option, unsigned number);

// Prints "cpis <command>: <what>" to standard error and returns EXIT_USAGE.
int command_usage_error(const struct command_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Says that `word` is no command of this group (NULL: of cpis), without repeating what may be a child's number.
void command_unknown(const char *group, const char *word);

// Decimal digits and nothing else, within bounds.
__attribute__((warn_unused_result)) bool command_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

#endif
