// `cpis audit verify`, offline; and what it shares with the other commands that work on a whole log.
#ifndef CPIS_CLI_AUDIT_VERIFY_H
#define CPIS_CLI_AUDIT_VERIFY_H

#include "clients/cli/command_line.h"
#include "clients/cli/log_database.h"
#include "clients/cli/log_walk.h"

int audit_verify(const struct command_line *line); // an exit code
extern const struct command_option audit_verify_options[];

// The verifier key that --log-key names. Says what is wrong.
int audit_load_key(const struct command_line *line, struct note_verifier *ret);
// What was found: on standard output, and what is wrong on standard error.
void audit_print_result(const struct command_line *line, enum log_status status, const struct log_result *result);
int audit_exit_code(enum log_status status);
// How far it is, on a terminal; NULL when standard error is none.
log_progress *audit_progress_begin(void);
void audit_progress_end(void);

// How many of --database and --postgres were given.
int audit_database_count(const struct command_line *line);
// Opens the one that was. NULL with a sentence.
struct log_database *audit_open_database(const struct command_line *line, char detail[LOG_DATABASE_DETAIL_BYTES]);

#endif
