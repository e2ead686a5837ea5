// The subcommands of `cpis`. main.c has the one table that dispatches them and prints the help.
#ifndef CPIS_CLI_COMMANDS_H
#define CPIS_CLI_COMMANDS_H

// Exit codes: the same for every subcommand, printed by `cpis --help`.
#define EXIT_CODE_TABLE(X)                                                                           \
	X(EXIT_DONE, 0, "done (\"no record of this child\" is done)")                                \
	X(EXIT_USAGE, 1, "the command line or an input file is wrong; nothing was sent or changed")  \
	X(EXIT_RETRY, 2, "no answer, or the broker cannot answer now; try again")                    \
	X(EXIT_REFUSED, 3, "refused: who you are, what you may do or how things stand does not allow it")              \
	X(EXIT_PROOF, 4, "the audit log, or a proof from it, does not hold")                         \
	X(EXIT_PARTIAL, 5, "a part was not done (rejected rows, unknown items, a register that did not answer) and is listed; the rest was")  \
	X(EXIT_FAILED, 6, "something else failed; the message says what")

enum exit_code {
#define X(name, value, sentence) name = value,
	EXIT_CODE_TABLE(X)
#undef X
};

// argv[0] is the subcommand's name ("query"). Results go to standard output, all else to standard error.
// `--help` prints and returns EXIT_DONE; a wrong option names itself, points to --help and returns EXIT_USAGE.
int command_ping(int argc, char **argv);
int command_query(int argc, char **argv);
int command_publish(int argc, char **argv);
int command_contacts(int argc, char **argv);   // set, confirm, show
int command_quality(int argc, char **argv);
int command_inbox(int argc, char **argv);  // list, follow, ack
int command_enquiry(int argc, char **argv); // send, answer
int command_not_brought(int argc, char **argv);
int command_audit(int argc, char **argv);  // search, show, report, verify, prove, export, import
int command_witness(int argc, char **argv);    // init, cosign, check
int command_alert(int argc, char **argv);      // list, show, assign, note, review, close
int command_assurance(int argc, char **argv);
int command_extract(int argc, char **argv);    // make, open
int command_explain(int argc, char **argv);
int command_policy(int argc, char **argv);     // show, load, diff
int command_role(int argc, char **argv);       // grant, end, list, end-unused
int command_retention(int argc, char **argv);  // show, hold, release
int command_quarantine(int argc, char **argv); // set, lift, list
int command_enrol(int argc, char **argv);  // invite, list, withdraw, present
int command_certs(int argc, char **argv);  // init, issue-system, issue-staff, revoke, refresh-lists, show
int command_top(int argc, char **argv);
int command_drill(int argc, char **argv);  // clients/drill

#endif
