// A file becomes a database: what is refused, in which order it is done, and what is said of it.
#include "broker/move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/backup_priv.h"
#include "broker/clock.h"
#include "broker/config.h"
#include "broker/move_priv.h"

#define PASS_NICENESS 10

enum { EXIT_DONE, EXIT_USAGE_ERROR, EXIT_CANNOT };

struct command {
	struct move move;
	struct config *config;
	struct note_verifier verifier;
	struct sqlite_move_state from;
	struct postgres_move_state to;
	int lock;
	struct move_work all;          // of this pass
	char detail[BACKUP_DETAIL_BYTES];
};

static bool fail(struct command *command, const char *what)
{
	snprintf(command->detail, sizeof command->detail, "%.200s: %.300s", command->config->store_file, what);
	return false;
}

// What the parts said.
static bool pass_on(struct command *command)
{
	snprintf(command->detail, sizeof command->detail, "%s", command->move.detail);
	return false;
}

static bool look(struct command *command)
{
	return (sqlite_move_look(command->move.from, &command->from, command->move.detail) &&
		postgres_move_look(command->move.to, &command->to, command->move.detail)) ||
	       pass_on(command);
}

// ------------------------------------------------------------------ what is refused

// The database holds this file's log up to where it has got, and nobody else's.
static bool is_ours(struct command *command)
{
	const struct postgres_move_state *to = &command->to;
	if (to->records == 0)
		return !to->has_rows ||
		       fail(command, "the database has rows of something else: make an empty one, and its tables with --migrate");
	// A connection that was lost is no other log.
	if (to->records > command->from.records || !move_same_log(&command->move, to->records))
		return look(command) && fail(command, "the database has records of another log: make an empty one, and its tables with --migrate");
	return true;
}

// *ret_over: both sides say that nothing is left to do.
static bool check(struct command *command, bool finish, bool *ret_over)
{
	const struct sqlite_move_state *from = &command->from;
	const struct postgres_move_state *to = &command->to;
	if (from->mark != SQLITE_MOVE_IN_FORCE && strcmp(from->identity, to->identity) != 0)
		return fail(command, "it was given to another database than this one: say which in CONNINFO");
	*ret_over = from->mark != SQLITE_MOVE_IN_FORCE && to->note[0] != '\0';
	if (*ret_over)
		// Brokers may have gone on with it since.
		return (to->records >= from->records && move_same_log(&command->move, from->records)) ||
		       (look(command) && fail(command, "it was moved into this database, which does not have its log any more: find out what took its place"));
	if (from->mark == SQLITE_MOVE_DONE)
		return fail(command, "it was moved into this database, which has no checkpoint any more: find out what took its place");
	if (from->mark == SQLITE_MOVE_BEGUN && !finish)
		return fail(command, "the end of its move was interrupted: say --finish");
	if (to->note[0] != '\0')
		return fail(command, "the database has a log in force already: make another, and its tables with --migrate");
	if (from->records == 0)
		return fail(command, "it has no audit record, so there is nothing to move: begin with the database");
	return is_ours(command);
}

static bool take_lock(struct command *command)
{
	char why[STORE_DETAIL_BYTES];
	command->lock = store_sqlite_lock(command->config->store_file, why);
	if (command->lock < 0)
		snprintf(command->detail, sizeof command->detail, "%.350s: stop it first, --finish is for a store that nobody writes", why);
	return command->lock >= 0;
}

// ------------------------------------------------------------------ a pass

static void print_work(const char *what, const struct move_work *work)
{
	double s = (double)(work->ms > 0 ? work->ms : 1) / 1000;
	printf("%-10s %10llu rows read, %llu added, %llu changed, %llu removed; %.1f MB in %.2f s: %.0f rows and %.1f MB a second\n", what,
	       (unsigned long long)work->read, (unsigned long long)work->added, (unsigned long long)work->changed,
	       (unsigned long long)work->removed, (double)work->bytes / 1e6, s, (double)work->read / s, (double)work->bytes / 1e6 / s);
	fflush(stdout);
}

static void add(struct move_work *all, const struct move_work *one)
{
	all->read += one->read;
	all->added += one->added;
	all->changed += one->changed;
	all->removed += one->removed;
	all->bytes += one->bytes;
	all->ms += one->ms;
}

// The log first, so that a database which has anything has records without a checkpoint, and no broker takes it for an empty one.
static bool bring(struct command *command)
{
	struct move_work work = {0};
	if (!move_bring_log(&command->move, command->to.records, command->from.records, &work))
		return pass_on(command);
	print_work("audit", &work);
	add(&command->all, &work);
	for (const struct move_table *table = move_tables; table->name != NULL; table++) {
		work = (struct move_work){0};
		if (!move_bring_table(&command->move, table, &work))
			return pass_on(command);
		if (work.read + work.removed > 0)
			print_work(table->name, &work);
		add(&command->all, &work);
	}
	print_work("all", &command->all);
	return true;
}

// A finish reads the tables once to bring them over, and everything once to prove it.
static bool tell_rest(struct command *command)
{
	uint64_t copied = command->from.records, tables = command->all.read - (copied - command->to.records);
	if (!look(command))
		return false;
	uint64_t left = command->from.records - copied;
	double rate = command->all.read == 0 ? 1 : (double)command->all.read / (double)(command->all.ms > 0 ? command->all.ms : 1) * 1000;
	printf("Left behind: %llu audit records that were made meanwhile, and what goes with them. At this rate a finish would take some %.0f "
	       "s: run this again until that is little and short enough, stop the broker, and say --finish.\n",
	       (unsigned long long)left, (double)(command->from.records + left + 2 * tables) / rate + 1);
	return true;
}

// ------------------------------------------------------------------ the finish

static bool verify(struct command *command)
{
	struct store_log log = {0};
	struct move_work work = {0};
	if (!move_verify(&command->move, &log, &work))
		return pass_on(command);
	snprintf(log.note, sizeof log.note, "%s", command->from.note);
	if (!backup_check_note(&log, &command->verifier, command->config->store_file, command->detail))
		return false;
	print_work("verified", &work);
	printf("All rows of both are the same, and the root of the %llu records in the database is the one that the log's key has signed:\n%s",
	       (unsigned long long)log.records, log.note);
	fflush(stdout);
	return true;
}

static bool mark(struct command *command, enum sqlite_move_mark how)
{
	return sqlite_move_mark(command->config->store_file, how, command->to.identity, command->move.detail) || pass_on(command);
}

static bool hand_over(struct command *command)
{
	if (command->from.mark == SQLITE_MOVE_IN_FORCE && !mark(command, SQLITE_MOVE_BEGUN))
		return false;
	printf("%s is closed to brokers from here on.\n", command->config->store_file);
	fflush(stdout);
	if (!postgres_move_put_in_force(command->move.to, command->from.note, command->from.heard_id, command->move.detail)) {
		snprintf(command->detail, sizeof command->detail, "%.250s. The file is closed to brokers, and the database may be open to them: run "
			 "this again, it ends what was begun", command->move.detail);
		return false;
	}
	return true;
}

static void report(const struct command *command)
{
	if (!command->to.has_second)
		printf("note: a commit of this server waits for no second one (synchronous_standby_names)\n");
	printf("The database is in force, and %s is no store any more; keep it as you keep backups. In the configuration say store_postgres "
	       "in place of store_file, with the same store_key and log_key, and start the broker.\n", command->config->store_file);
}

// ------------------------------------------------------------------ the command

static bool open_all(struct command *command, const char *config_path, const char *conninfo, bool finish)
{
	return config_load(config_path, &command->config, command->detail) &&
	       config_has_store_file(command->config, "--move", command->detail) &&
	       backup_load_verifier(command->config->trust_directory, &command->verifier, command->detail) &&
	       (!finish || take_lock(command)) &&
	       ((sqlite_move_open(command->config->store_file, &command->move.from, command->move.detail) &&
		 postgres_move_open(conninfo, &command->move.to, command->move.detail)) ||
		pass_on(command));
}

static bool run(struct command *command, const char *config_path, const char *conninfo, bool finish)
{
	bool over = false;
	uint64_t began_ms = clock_monotonic_ms();
	if (!open_all(command, config_path, conninfo, finish) || !look(command) || !check(command, finish, &over))
		return false;
	if (!over && (!bring(command) || (finish ? !verify(command) || !hand_over(command) : !tell_rest(command))))
		return false;
	if (!over && !finish)
		return true;
	// What is left is to say so: the file is closed either way.
	if (finish && command->from.mark != SQLITE_MOVE_DONE && !mark(command, SQLITE_MOVE_DONE))
		return false;
	report(command);
	printf("Finished in %.2f s.\n", (double)(clock_monotonic_ms() - began_ms) / 1000);
	return true;
}

int move_run(const char *config_path, const char *conninfo, bool finish)
{
	struct command *command = calloc(1, sizeof *command);
	if (command == NULL) {
		fprintf(stderr, "cpis-broker: out of memory\n");
		return EXIT_CANNOT;
	}
	command->lock = -1;
	// Whoever waits for an answer goes first; at the finish everybody waits for this.
	if (!finish && getpriority(PRIO_PROCESS, 0) < PASS_NICENESS)
		(void)setpriority(PRIO_PROCESS, 0, PASS_NICENESS);
	bool done = run(command, config_path, conninfo, finish);
	if (!done)
		fprintf(stderr, "cpis-broker: %s\n", command->detail);
	sqlite_move_close(command->move.from);
	postgres_move_close(command->move.to);
	move_row_done(&command->move.left);
	move_row_done(&command->move.right);
	config_free(command->config);
	if (command->lock >= 0)
		close(command->lock);
	free(command);
	return done ? EXIT_DONE : EXIT_CANNOT;
}
