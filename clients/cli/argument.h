// Words of a command line that may come from standard input instead, because a command line can be read by everybody on the
// machine and is kept in the shell's history: an NHS number, and what people write to each other.
#ifndef CPIS_CLI_ARGUMENT_H
#define CPIS_CLI_ARGUMENT_H

#include "clients/cli/command_line.h"
#include "proto/limits.h"
#include "proto/nhs_number.h"

// "-": the first line of standard input.
enum nhs_number_status argument_nhs_number(const char *word, struct nhs_number *ret);

// Of UTF-8: not bytes.
unsigned argument_characters(const char *text);

// The value of --text, of at least `characters_min` characters; "-": all of standard input, without the end of its last line. Not
// given: empty. EXIT_DONE, or it has said what is wrong with it.
int argument_text(const struct command_line *line, unsigned characters_min, char ret[MESSAGE_TEXT_BYTES_MAX + 1]);

#endif
