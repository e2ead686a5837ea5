// `cpis witness`: somebody who watches the audit log and says so with a key of their own (C2SP tlog-cosignature). What it has
// cosigned is the profile's checkpoint_file: the library takes no checkpoint over that is not proven to continue that one.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "certs/cosignature.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"
#include "clients/cli/witness_state.h"

static int complain(const struct command_line *line, const char *path, const char *what, int code)
{
	fprintf(stderr, "cpis %s: %s: %s\n", line->command->name, path, what);
	return code;
}

static uint64_t now_s(void)
{
	return (uint64_t)time(NULL);
}

// ------------------------------------------------------------------ init

static const struct command_option init_options[] = {
	{"name", "NAME", "whose cosignatures they are, e.g. leeds.gov.uk/cpis-witness", OPTION_REQUIRED},
	{"key", "FILE", "the key file to make", OPTION_REQUIRED},
	{0},
};

static int run_init(const struct command_line *line)
{
	struct note_verifier witness = {0};
	struct signing_key *key = NULL;
	const char *path = command_value(line, "key"), *name = command_value(line, "name");
	char text[400];
	if (signing_key_generate(&key) != CERTS_OK)
		return complain(line, path, "no key can be made", EXIT_FAILED);
	signing_key_public(key, witness.public_key);
	bool fits = (size_t)snprintf(witness.origin, sizeof witness.origin, "%s", name) < sizeof witness.origin;
	int code = EXIT_DONE;
	if (!fits || witness_key_format(&witness, text, sizeof text) != CERTS_OK) {
		code = command_usage_error(line, "the name must be 1 to 128 characters without spaces and plus signs");
	} else {
		enum certs_status status = signing_key_save(key, path);
		if (status == CERTS_OK)
			printf("%s\n", text);
		else
			code = complain(line, path, certs_status_text(status),
					status == CERTS_EXISTS ? EXIT_USAGE : EXIT_FAILED);
	}
	signing_key_free(key);
	return code;
}

// ------------------------------------------------------------------ cosign

static const struct command_option cosign_options[] = {
	{"name", "NAME", "as it was given to `cpis witness init`", OPTION_REQUIRED},
	{"key", "FILE", "the key file that was made then", OPTION_REQUIRED},
	{"out", "FILE", "where the cosigned checkpoint goes (default: standard output)", OPTION_OPTIONAL},
	{0},
};

// Two at a time could each cosign another log's checkpoint of one size. Held until the process ends.
static int lock_state(const struct command_line *line, const char *state)
{
	char path[PATH_MAX];
	if ((size_t)snprintf(path, sizeof path, "%s.lock", state) >= sizeof path)
		return complain(line, state, "the path is too long", EXIT_USAGE);
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0)
		return EXIT_DONE;
	return complain(line, path, errno == EWOULDBLOCK ? "another witness of this log is at work" : strerror(errno),
			EXIT_FAILED);
}

static bool write_beside(const char *path, const char *text)
{
	char beside[PATH_MAX];
	if ((size_t)snprintf(beside, sizeof beside, "%s.new", path) >= sizeof beside)
		return false;
	FILE *file = fopen(beside, "we");
	bool written = file != NULL && fputs(text, file) >= 0;
	written = file != NULL && fclose(file) == 0 && written;
	return written && rename(beside, path) == 0;
}

static int sign(const struct connection *connection, const char *note, char cosigned[NOTE_BYTES_MAX + 1])
{
	const struct command_line *line = connection->line;
	const char *path = command_value(line, "key"), *out = command_value(line, "out");
	struct signing_key *key = NULL;
	enum certs_status status = signing_key_load(path, &key);
	if (status != CERTS_OK)
		return complain(line, path, certs_status_text(status), EXIT_USAGE);
	status = cosignature_add(note, command_value(line, "name"), key, now_s(), cosigned);
	signing_key_free(key);
	if (status != CERTS_OK)
		return command_usage_error(line, "the name must be 1 to 128 characters without spaces and plus signs");
	if (out == NULL)
		fputs(cosigned, stdout);
	else if (!write_beside(out, cosigned))
		return complain(line, out, strerror(errno), EXIT_FAILED);
	return EXIT_DONE;
}

// Of a note that the library has verified: its second line.
static uint64_t size_of(const char *note)
{
	return strtoull(strchr(note, '\n') + 1, NULL, 10);
}

// Writes down that this note is signed now, before it is; refuses one that is older than what has been signed or seen long ago.
static int enter(const struct connection *connection, const char *note)
{
	const struct command_line *line = connection->line;
	const char *file = connection->profile->checkpoint_file;
	struct witness_state state = {0};
	uint64_t size = size_of(note);
	if (!witness_state_load(file, &state) && errno != ENOENT)
		return complain(line, file, errno == EINVAL ? "what stands beside it in .cosigned cannot be read" : strerror(errno),
				EXIT_FAILED);
	witness_state_hold(&state, size_of(cpis_checkpoint(connection->client)), now_s());
	if (size < witness_state_floor(&state)) {
		fprintf(stderr, "cpis witness cosign: the broker wants a cosignature of the log as it was with %llu records, and this "
			"witness has signed one of %llu and saw %llu more than %u s ago: an old log is not made to look recent\n",
			(unsigned long long)size, (unsigned long long)state.signed_size, (unsigned long long)state.stale_size,
			WITNESS_STALE_S);
		return EXIT_PROOF;
	}
	state.signed_size = size;
	// The library has flushed the checkpoint; its name must be there after a loss of power as well.
	if (!witness_flush_name(file) || !witness_state_save(file, &state))
		return complain(line, file, strerror(errno), EXIT_FAILED);
	return EXIT_DONE;
}

static int exchange(struct connection *connection, const char *note, bool *ret_compared)
{
	enum cpis_status status =
		cpis_exchange_checkpoints(connection->client, note, connection->line->timeout_ms, ret_compared);
	return status == CPIS_OK ? EXIT_DONE : connection_fail(connection, status, cpis_detail(connection->client));
}

// What the broker asks all witnesses to cosign, which has been compared with what this one remembers; where it asks for nothing,
// the newest checkpoint.
static int cosign_and_hand_in(struct connection *connection)
{
	char cosigned[NOTE_BYTES_MAX + 1];
	bool compared = false, taken = false;
	int code = exchange(connection, NULL, &compared);
	if (code != EXIT_DONE)
		return code;
	const char *asked = cpis_checkpoint_to_cosign(connection->client);
	bool is_asked = asked[0] != '\0';
	if (!compared) {
		fprintf(stderr, "cpis witness cosign: not compared with what others hold, so nothing is cosigned: %s\n",
			cpis_detail(connection->client));
		return EXIT_PARTIAL;
	}
	const char *note = is_asked ? asked : cpis_checkpoint(connection->client);
	code = enter(connection, note);
	if (code == EXIT_DONE)
		code = sign(connection, note, cosigned);
	if (code != EXIT_DONE || !is_asked)
		return code;
	code = exchange(connection, cosigned, &taken);
	if (code != EXIT_DONE || taken)
		return code;
	fprintf(stderr, "cpis witness cosign: cosigned, and the broker did not take it: %s\n", cpis_detail(connection->client));
	return EXIT_PARTIAL;
}

static int run_cosign(const struct command_line *line)
{
	struct connection connection = {0};
	int code = connection_load(line, &connection);
	if (code == EXIT_DONE && connection.profile->checkpoint_file == NULL)
		code = command_usage_error(line, "the profile %s names no checkpoint_file: a witness has to remember",
					   line->profile);
	if (code == EXIT_DONE)
		code = lock_state(line, connection.profile->checkpoint_file);
	connection_close(&connection);
	if (code == EXIT_DONE)
		code = connection_open(line, &connection);
	if (code == EXIT_DONE)
		code = cosign_and_hand_in(&connection);
	connection_close(&connection);
	return code;
}

// ------------------------------------------------------------------ check

static const struct command_option check_options[] = {
	{"trust", "DIR", "the trust bundle: log.vkey, and log.policy that says whose cosignatures are wanted", OPTION_REQUIRED},
	{"age-max", "SECONDS", "how long ago they may have been made (default: any time)", OPTION_OPTIONAL},
	{0},
};

struct checking {
	struct note_verifier log;
	struct witness_policy policy;
	char note[NOTE_BYTES_MAX + 1]; // with the cosignatures of all files
};

static int load_bundle(const struct command_line *line, struct checking *checking)
{
	const char *trust = command_value(line, "trust");
	char path[PATH_MAX], detail[WITNESS_DETAIL_BYTES];
	if ((size_t)snprintf(path, sizeof path, "%s/log.policy", trust) >= sizeof path)
		return complain(line, trust, "the path is too long", EXIT_USAGE);
	if (!witness_policy_load(path, &checking->policy, detail)) {
		fprintf(stderr, "cpis %s: %s\n", line->command->name, detail);
		return EXIT_USAGE;
	}
	if (!checking->policy.required)
		return complain(line, path, "asks for no witnesses", EXIT_USAGE);
	snprintf(path, sizeof path, "%s/log.vkey", trust);
	enum certs_status status = note_verifier_load(path, &checking->log);
	return status == CERTS_OK ? EXIT_DONE : complain(line, path, certs_status_text(status), EXIT_USAGE);
}

static int take_file(const struct command_line *line, const char *path, struct checking *checking)
{
	struct checkpoint checkpoint;
	char note[NOTE_BYTES_MAX + 1], merged[NOTE_BYTES_MAX + 1];
	FILE *file = fopen(path, "re");
	size_t bytes = file == NULL ? 0 : fread(note, 1, NOTE_BYTES_MAX, file);
	bool whole = file != NULL && !ferror(file) && fgetc(file) == EOF;
	if (file != NULL)
		fclose(file);
	if (!whole)
		return complain(line, path, file == NULL ? strerror(errno) : "cannot be read as a checkpoint", EXIT_USAGE);
	note[bytes] = '\0';
	enum certs_status status = checkpoint_verify(note, bytes, &checking->log, &checkpoint);
	if (status != CERTS_OK)
		return complain(line, path, certs_status_text(status), status == CERTS_MALFORMED ? EXIT_USAGE : EXIT_PROOF);
	if (checking->note[0] == '\0')
		strcpy(checking->note, note);
	for (unsigned i = 0; i < checking->policy.count; i++) {
		status = cosignature_take(checking->note, note, &checking->policy.witnesses[i].key, merged);
		if (status == CERTS_OK)
			strcpy(checking->note, merged);
		else if (status == CERTS_PROOF)
			return complain(line, path, "is of another checkpoint than the first file", EXIT_USAGE);
		else if (status != CERTS_NAME)
			return complain(line, path, certs_status_text(status), EXIT_PROOF);
	}
	return EXIT_DONE;
}

static int judge(const struct command_line *line, const struct checking *checking, uint64_t age_max_s)
{
	uint64_t since_s = 0, now = now_s();
	unsigned count = witness_policy_count(&checking->policy, checking->note);
	bool holds = witness_policy_holds(&checking->policy, checking->note, now, &since_s);
	uint64_t age_s = since_s < now ? now - since_s : 0;
	bool young = age_s <= age_max_s;
	if (line->json)
		output_json(json_pack("{s:b, s:i, s:I}", "holds", holds && young, "witnesses", (int)count, "age_s",
				      (json_int_t)age_s));
	if (!holds)
		fprintf(stderr, "cpis witness check: %u witnesses have cosigned it, which is not enough: at least %u are needed\n",
			count, witness_policy_least(&checking->policy));
	else if (!young)
		fprintf(stderr, "cpis witness check: it was cosigned %llu s ago, which is too long\n", (unsigned long long)age_s);
	else if (!line->json)
		printf("%u witnesses have cosigned it, %llu s ago: enough.\n", count, (unsigned long long)age_s);
	return holds && young ? EXIT_DONE : EXIT_PROOF;
}

static int run_check(const struct command_line *line)
{
	struct checking checking = {0};
	uint64_t age_max_s = UINT64_MAX;
	const char *age = command_value(line, "age-max");
	if (age != NULL && !command_number(age, 0, UINT32_MAX, &age_max_s))
		return command_usage_error(line, "--age-max must be a number of seconds");
	int code = load_bundle(line, &checking);
	for (int i = 0; code == EXIT_DONE && i < line->operand_count; i++)
		code = take_file(line, line->operands[i], &checking);
	return code == EXIT_DONE ? judge(line, &checking, age_max_s) : code;
}

static const struct command commands[] = {
	{.name = "witness init",
	 .operands = "",
	 .help = "Makes a witness's key and prints its line for the trust bundle's log.policy.",
	 .options = init_options,
	 .offline = true,
	 .text_only = true,
	 .run = run_init},
	{.name = "witness cosign",
	 .operands = "",
	 .help = "Asks the broker for the checkpoint that its witnesses are to cosign, checks the proofs that it is of the log that was\n"
		 "cosigned before (the profile's checkpoint_file) and that others are shown, writes that down, cosigns it, and hands it\n"
		 "in. Exits with 4 and signs nothing when the log is shorter or another one, or when the broker asks for a checkpoint\n"
		 "that is older than what was cosigned before. Run it by a timer.",
	 .options = cosign_options,
	 .text_only = true,
	 .unwitnessed = true,
	 .run = run_cosign},
	{.name = "witness check",
	 .operands = "FILE...",
	 .help = "Checks a cosigned checkpoint against the trust bundle: signed by the log, and cosigned by the witnesses that\n"
		 "log.policy asks for. Several files are the same checkpoint from several witnesses. Exits with 4 if not.",
	 .options = check_options,
	 .operands_min = 1,
	 .operands_max = WITNESSES_MAX,
	 .offline = true,
	 .run = run_check},
};

int command_witness(int argc, char **argv)
{
	return command_dispatch_group("witness", "Watching the audit log from outside, and saying so with a key of one's own.",
				      commands, sizeof commands / sizeof commands[0], argc, argv);
}
