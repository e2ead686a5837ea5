// cpis-broker: the command line.
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "broker/backup.h"
#include "broker/command_table.h"
#include "broker/describe.h"
#include "broker/front_keeper.h"
#include "broker/front_process.h"
#include "broker/join.h"
#include "broker/log.h"
#include "broker/metrics_process.h"
#include "broker/move.h"
#include "broker/process.h"
#include "broker/store_postgres.h"
#include "broker/successor.h"
#include "broker/vault.h"

// Each is given its words alone, behind the option in argv[0]; how many they are has been looked at.
typedef int run_command(int argc, char **argv);

static void print_help(FILE *out);

static int misused(void)
{
	print_help(stderr);
	return EXIT_USAGE_ERROR;
}

static void print_remark(void *context, const char *sentence)
{
	printf("%s%s\n", (const char *)context, sentence);
}

static void count(void *context, const char *sentence)
{
	(void)sentence;
	++*(size_t *)context;
}

static size_t count_missing(const struct config *config)
{
	size_t missing = 0;
	config_missing(config, count, &missing);
	return missing;
}

enum run { RUN_CHECK, RUN_SERVE, RUN_TAKE_OVER };

// `told`: who waits until it serves; -1, nobody.
static int run(const char *config_path, enum run how, int told)
{
	struct broker broker = PROCESS_NEW;
	bool check_only = how == RUN_CHECK;
	char detail[PROCESS_DETAIL_BYTES] = "", prefix[] = "note: ", missing_prefix[] = "missing: ";
	int code = EXIT_CANNOT_START;
	broker.takes_over = how == RUN_TAKE_OVER;
	log_open("core");
	process_harden();
	if ((!check_only && !process_split(&broker, detail)) || !process_load(&broker, config_path, detail)) {
		;
	} else if (check_only && count_missing(broker.config) > 0) {
		snprintf(detail, sizeof detail, "files that the configuration names are not there");
	} else if (check_only) {
		printf("%s: good; policy %s, %zu systems enrolled and valid\n", config_path,
		       policy_version(broker.policy), register_systems_count(broker.snapshot));
		policy_review(broker.policy, print_remark, prefix);
		register_remarks(broker.snapshot, print_remark, prefix);
		code = EXIT_DONE;
	} else if (process_open(&broker, detail)) {
		successor_tell(&told);
		code = serve(&broker) ? EXIT_DONE : EXIT_LOST;
	}
	if (code == EXIT_CANNOT_START)
		log_event(LOG_EVENT_CANNOT_START, "%s", detail);
	// All of them at once, rather than one at each try.
	if (code == EXIT_CANNOT_START && check_only && broker.config != NULL)
		config_missing(broker.config, print_remark, missing_prefix);
	process_close(&broker);
	return code;
}

static int serve_by(int argc, char **argv)
{
	(void)argc;
	return run(argv[1], RUN_SERVE, -1);
}

static int take_over(int argc, char **argv)
{
	(void)argc;
	return run(argv[1], RUN_TAKE_OVER, -1);
}

static int succeed(int argc, char **argv)
{
	(void)argc;
	int told = -1;
	switch (successor_start(&told)) {
	case SUCCESSOR_IS_THIS:
		return run(argv[1], RUN_TAKE_OVER, told);
	case SUCCESSOR_SERVES:
		return EXIT_DONE;
	case SUCCESSOR_FAILED:
		break;
	}
	fprintf(stderr, "cpis-broker: no broker came to serve in place of the one that runs; the lines before say why\n");
	return EXIT_CANNOT_START;
}

static int check(int argc, char **argv)
{
	(void)argc;
	return run(argv[1], RUN_CHECK, -1);
}

// Old and new policy: what would be decided otherwise.
static int compare_policies(int argc, char **argv)
{
	(void)argc;
	const char *before_path = argv[1], *after_path = argv[2];
	struct policy *before = NULL, *after = NULL;
	char detail[POLICY_DETAIL_BYTES] = "", nothing[] = "";
	int code = EXIT_CANNOT_START;
	if (!policy_load(before_path, &before, detail) || !policy_load(after_path, &after, detail)) {
		fprintf(stderr, "cpis-broker: %s\n", detail);
	} else {
		size_t differences = policy_compare(before, after, print_remark, nothing);
		printf("%zu decisions differ between %s and %s\n", differences, policy_version(before),
		       policy_version(after));
		code = EXIT_DONE;
	}
	policy_free(before);
	policy_free(after);
	return code;
}

static int make_store_key(int argc, char **argv)
{
	char detail[VAULT_DETAIL_BYTES];
	(void)argc;
	if (vault_create_key(argv[1], detail))
		return EXIT_DONE;
	fprintf(stderr, "cpis-broker: %s\n", detail);
	return EXIT_CANNOT_START;
}

static int rebuild_search(int argc, char **argv)
{
	(void)argc;
	struct broker broker = PROCESS_NEW;
	char detail[PROCESS_DETAIL_BYTES] = "", why[STORE_DETAIL_BYTES] = "";
	int code = EXIT_CANNOT_START;
	process_harden();
	if (!process_load(&broker, argv[1], detail) || !config_has_store_file(broker.config, "--rebuild-search", detail)) {
		fprintf(stderr, "cpis-broker: %s\n", detail);
	} else if (store_sqlite_rebuild_search(broker.config->store_file, why) != STORE_OK) {
		fprintf(stderr, "cpis-broker: %s\n", why);
	} else {
		printf("%s: the audit log's search index has been made anew\n", broker.config->store_file);
		code = EXIT_DONE;
	}
	process_close(&broker);
	return code;
}

static int migrate(int argc, char **argv)
{
	char detail[STORE_DETAIL_BYTES] = "";
	(void)argc;
	if (store_postgres_migrate(argv[1], detail) == STORE_OK) {
		printf("the database has the tables of this version\n");
		return EXIT_DONE;
	}
	fprintf(stderr, "cpis-broker: %s\n", detail);
	return EXIT_CANNOT_START;
}

static int restore(int argc, char **argv)
{
	static const struct option options[] = {
		{"replace", no_argument, NULL, 'p'}, {"successor-of", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
	struct restore_options restore_options = {0};
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 'p')
			restore_options.replaces = true;
		else if (option == 's')
			restore_options.successor_of = optarg;
		else
			return misused();
	}
	if (optind != argc - 2)
		return misused();
	restore_options.config_path = argv[optind];
	restore_options.from = argv[optind + 1];
	return backup_restore(&restore_options);
}

static int move(int argc, char **argv)
{
	static const struct option options[] = {{"finish", no_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
	bool finish = false;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option != 'f')
			return misused();
		finish = true;
	}
	if (optind != argc - 2)
		return misused();
	process_harden();
	return move_run(argv[optind], argv[optind + 1], finish);
}

static int backup(int argc, char **argv)
{
	(void)argc;
	return backup_make(argv[1], argv[2]);
}

static int missing(int argc, char **argv)
{
	(void)argc;
	return backup_missing(argv[1]);
}

static int share(int argc, char **argv)
{
	(void)argc;
	return join_share(argv[1], argv[2], argv[3]);
}

static int join(int argc, char **argv)
{
	(void)argc;
	return join_join(argv[1], argv[2]);
}

static int print_description(int argc, char **argv)
{
	(void)argc;
	if (describe(argv[1], stdout))
		return EXIT_DONE;
	fprintf(stderr, "cpis-broker: nothing is described by that name; `cpis-broker --describe topics` lists what is\n");
	return EXIT_USAGE_ERROR;
}

static int print_version(int argc, char **argv)
{
	(void)argc, (void)argv;
	printf("cpis-broker %s\n", CPIS_VERSION);
	return EXIT_DONE;
}

static int print_usage(int argc, char **argv)
{
	(void)argc, (void)argv;
	print_help(stdout);
	return EXIT_DONE;
}

static const struct {
	const char *option, *operands, *sentence;
	int least, most;
	run_command *run;
} commands[] = {
#define X(function, option_, operands_, least_, most_, sentence_) \
	{.option = option_, .operands = operands_, .sentence = sentence_, .least = least_, .most = most_, .run = function},
	COMMAND_TABLE(X)
#undef X
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void print_help(FILE *out)
{
	fputs("usage: cpis-broker [OPTION] WORD...\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++) {
		const char *option = commands[i].option, *operands = commands[i].operands;
		char left[96];
		int bytes = snprintf(left, sizeof left, "%s%s%s%s", option[0] == '\0' ? "" : "--", option,
				     option[0] == '\0' || operands[0] == '\0' ? "" : " ", operands);
		fprintf(out, "  %-28s%s%s\n", left, bytes < 28 ? "" : "\n                              ", commands[i].sentence);
	}
	fputs("\nexit codes:\n", out);
#define X(name, value, sentence) fprintf(out, "  %d  %s\n", value, sentence);
	EXIT_TABLE(X)
#undef X
}

int main(int argc, char **argv)
{
	// Not for people: the front's keeper starts these.
	if (argc == 2 && strcmp(argv[1], FRONT_ARGUMENT) == 0) {
		process_harden();
		return front_process_run();
	}
	if (argc == 2 && strcmp(argv[1], METRICS_ARGUMENT) == 0) {
		process_harden();
		return metrics_process_run();
	}
	bool has_option = argc > 1 && strncmp(argv[1], "--", 2) == 0;
	const char *option = has_option ? argv[1] + 2 : "";
	int words = has_option ? argc - 2 : argc - 1;
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].option, option) == 0 && words >= commands[i].least && words <= commands[i].most)
			return commands[i].run(words + 1, has_option ? argv + 1 : argv);
	return misused();
}
