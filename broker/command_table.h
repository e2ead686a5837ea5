// The command line of cpis-broker, in one table: what is done, --help, the manual and the completions come from it. main.c has
// the functions, by the names of the first column.
#ifndef CPIS_BROKER_COMMAND_TABLE_H
#define CPIS_BROKER_COMMAND_TABLE_H

// X(function, option without dashes ("" when there is none), operands, least and greatest number of words behind it, sentence).
#define COMMAND_TABLE(X)                                                                                                       \
	X(serve_by, "", "CONFIG", 1, 1, "serve until SIGTERM, then drain and exit 0")                                          \
	X(take_over, "take-over", "CONFIG", 1, 1, "serve in place of the broker that runs, once it has handed over")           \
	X(succeed, "succeed", "CONFIG", 1, 1, "the same, in the background: end when the new broker serves, for systemd") \
	X(check, "check", "CONFIG", 1, 1, "read and check all files, start nothing")                                           \
	X(compare_policies, "policy-diff", "OLD NEW", 2, 2, "every decision that changes between two policies")                \
	X(make_store_key, "make-store-key", "FILE", 1, 1, "make the master key of a new store")                                \
	X(rebuild_search, "rebuild-search", "CONFIG", 1, 1, "make the audit log's search index anew, while no broker runs")    \
	X(migrate, "migrate", "CONNINFO", 1, 1, "make the tables in a PostgreSQL, or bring them to this version")              \
	X(move, "move", "CONFIG CONNINFO [--finish]", 2, 3,                                                                    \
	  "copy a SQLite store into a PostgreSQL, while the broker runs; --finish: for good, while no broker runs")            \
	X(backup, "backup", "CONFIG FILE", 2, 2, "copy the store into a new file, while the broker runs")                      \
	X(restore, "restore", "CONFIG FILE [--replace] [--successor-of OLD.vkey]", 2, 6,                                       \
	  "put a backup in the store's place, while no broker runs")                                                           \
	X(missing, "missing", "CONFIG", 1, 1, "what a store that was put back lacks, and what to do")                          \
	X(share, "share", "CONFIG NEW-BROKER.pem FILE", 3, 3, "seal the shared keys for a new broker of this database")        \
	X(join, "join", "CONFIG FILE", 2, 2, "take them there, and open the database with them")                               \
	X(print_description, "describe", "WHAT", 1, 1,                                                                         \
	  "the tables of the manual, as this program has them: `--describe topics` lists them")                                \
	X(print_version, "version", "", 0, 0, "the version")                                                                   \
	X(print_usage, "help", "", 0, 0, "this list")

// X(name, exit code, sentence).
#define EXIT_TABLE(X)                                                                          \
	X(EXIT_DONE, 0, "done")                                                                \
	X(EXIT_USAGE_ERROR, 1, "the command line is wrong; nothing was done")                  \
	X(EXIT_CANNOT_START, 2, "it cannot start or cannot do it; what is wrong is said on standard error") \
	X(EXIT_LOST, 3, "the broker ended by itself: the log line before says why")

enum broker_exit {
#define X(name, value, sentence) name = value,
	EXIT_TABLE(X)
#undef X
};

#endif
