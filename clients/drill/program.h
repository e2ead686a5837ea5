// Running our own programs, as an operator would.
#ifndef CPIS_DRILL_PROGRAM_H
#define CPIS_DRILL_PROGRAM_H

#include "clients/drill/drill.h"

// Runs `program` of drill->programs in the folder with these arguments, NULL last, and waits for its end (DRILL_WAIT_MS at the most).
// Its exit code, with its output in drill->output; -1 with drill_fail when it could not be run or did not end.
int program_run(struct drill *drill, const char *program, const char *const arguments[]);
// The same for `cpis`, which has to succeed. program_cpis(drill, "certs", "init", NULL).
bool program_cpis(struct drill *drill, ...) __attribute__((sentinel));

// Starts it and does not wait; its output goes into the file. 0 with drill_fail when it could not be started.
pid_t program_start(struct drill *drill, const char *program, const char *const arguments[], const char *output_file);
// Sends the signal and waits for the end.
void program_end(pid_t pid, int signal);

#endif
