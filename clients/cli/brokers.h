// An act that has to be done at every broker that the profile names, by one command.
#ifndef CPIS_CLI_BROKERS_H
#define CPIS_CLI_BROKERS_H

#include "clients/cli/connection.h"

// Makes its calls on a connection that is signed in, prints what became of it and returns an exit code, as a command does.
typedef int broker_act(struct connection *connection, void *context);

// With one broker in the profile, or share_log: signs in there, or at whichever answers, and acts once, like any command. Else: at each of them side by side, in a
// process of its own, so that none waits for another but for the moments in which the key signs, because a token serves one at
// a time; each with a session and a signature of its own, because both name the broker that they are for. Prints one line for each broker, with --json one
// object for all, and on standard error where it was not done, with `meanwhile`: what those brokers do until then.
//
// EXIT_DONE only when it is done at all of them. EXIT_PARTIAL from `act` stands for "there was nothing to do": it counts as done
// unless all say so. Done at some and failed at others: EXIT_PARTIAL; failed at all: the first one's code.
int brokers_act(const struct command_line *line, broker_act *act, void *context, const char *meanwhile);

#endif
