// cpis-broker: the command line.
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "broker/backup.h"
#include "broker/front_keeper.h"
#include "broker/front_process.h"
#include "broker/join.h"
#include "broker/log.h"
#include "broker/move.h"
#include "broker/process.h"
#include "broker/store_postgres.h"
#include "broker/vault.h"

enum { EXIT_USAGE_ERROR = 1, EXIT_CANNOT_START = 2, EXIT_LOST = 3 };

static void print_remark(void *context, const char *sentence)
{
	printf("%s%s\n", (const char *)context, sentence);
}

enum run { RUN_CHECK, RUN_SERVE, RUN_TAKE_OVER };

static int run(const char *config_path, enum run how)
{
	struct broker broker = PROCESS_NEW;
	bool check_only = how == RUN_CHECK;
	char detail[PROCESS_DETAIL_BYTES] = "", prefix[] = "note: ";
	int code = EXIT_CANNOT_START;
	broker.takes_over = how == RUN_TAKE_OVER;
	process_harden();
	if ((!check_only && !process_split(&broker, detail)) || !process_load(&broker, config_path, detail)) {
		;
	} else if (check_only) {
		printf("%s: good; policy %s, %zu systems enrolled and valid\n", config_path,
		       policy_version(broker.policy), register_systems_count(broker.snapshot));
		policy_review(broker.policy, print_remark, prefix);
		register_remarks(broker.snapshot, print_remark, prefix);
		code = 0;
	} else if (process_open(&broker, detail)) {
		code = serve(&broker) ? 0 : EXIT_LOST;
	}
	if (code == EXIT_CANNOT_START)
		log_event(LOG_LEVEL_ERROR, "cannot_start", "%s", detail);
	process_close(&broker);
	return code;
}

// Old and new policy: what would be decided otherwise.
static int compare_policies(const char *before_path, const char *after_path)
{
	struct policy *before = NULL, *after = NULL;
	char detail[POLICY_DETAIL_BYTES] = "", nothing[] = "";
	int code = EXIT_CANNOT_START;
	if (!policy_load(before_path, &before, detail) || !policy_load(after_path, &after, detail)) {
		fprintf(stderr, "cpis-broker: %s\n", detail);
	} else {
		size_t differences = policy_compare(before, after, print_remark, nothing);
		printf("%zu decisions differ between %s and %s\n", differences, policy_version(before),
		       policy_version(after));
		code = 0;
	}
	policy_free(before);
	policy_free(after);
	return code;
}

static int make_store_key(const char *path)
{
	char detail[VAULT_DETAIL_BYTES];
	if (vault_create_key(path, detail))
		return 0;
	fprintf(stderr, "cpis-broker: %s\n", detail);
	return EXIT_CANNOT_START;
}

static int rebuild_search(const char *config_path)
{
	struct broker broker = PROCESS_NEW;
	char detail[PROCESS_DETAIL_BYTES] = "", why[STORE_DETAIL_BYTES] = "";
	int code = EXIT_CANNOT_START;
	process_harden();
	if (!process_load(&broker, config_path, detail) || !config_has_store_file(broker.config, "--rebuild-search", detail)) {
		fprintf(stderr, "cpis-broker: %s\n", detail);
	} else if (store_sqlite_rebuild_search(broker.config->store_file, why) != STORE_OK) {
		fprintf(stderr, "cpis-broker: %s\n", why);
	} else {
		printf("%s: the audit log's search index has been made anew\n", broker.config->store_file);
		code = 0;
	}
	process_close(&broker);
	return code;
}

static int migrate(const char *conninfo)
{
	char detail[STORE_DETAIL_BYTES] = "";
	if (store_postgres_migrate(conninfo, detail) == STORE_OK) {
		printf("the database has the tables of this version\n");
		return 0;
	}
	fprintf(stderr, "cpis-broker: %s\n", detail);
	return EXIT_CANNOT_START;
}

static void print_help(FILE *out)
{
	fprintf(out, "usage: cpis-broker CONFIG                 serve until SIGTERM, then drain and exit 0\n"
		     "       cpis-broker --take-over CONFIG     serve in place of the broker that runs, when it has handed over\n"
		     "       cpis-broker --check CONFIG         read and check all files, start nothing\n"
		     "       cpis-broker --policy-diff OLD NEW  every decision that changes between two policies\n"
		     "       cpis-broker --make-store-key FILE  make the master key of a new store\n"
		     "       cpis-broker --rebuild-search CONFIG  make the audit log's search index anew, while no broker runs\n"
		     "       cpis-broker --migrate CONNINFO     make the tables in a PostgreSQL, or bring them to this version\n"
		     "       cpis-broker --move CONFIG CONNINFO [--finish]\n"
		     "                                          copy a SQLite store into a PostgreSQL, while the broker runs; --finish: for good,\n"
		     "                                          while no broker runs\n"
		     "       cpis-broker --backup CONFIG FILE   copy the store into a new file, while the broker runs\n"
		     "       cpis-broker --restore CONFIG FILE [--replace] [--successor-of OLD.vkey]\n"
		     "                                          put a backup in the store's place, while no broker runs\n"
		     "       cpis-broker --missing CONFIG       what a store that was put back lacks, and what to do\n"
		     "       cpis-broker --share CONFIG NEW-BROKER.pem FILE  seal the shared keys for a new broker of this database\n"
		     "       cpis-broker --join CONFIG FILE     take them there, and open the database with them\n"
		     "       cpis-broker --version | --help\n"
		     "exit: 0 done, 1 wrong command line, 2 cannot start, 3 ended by itself (the log line says why)\n");
}

static const struct option options[] = {
	{"check", required_argument, NULL, 'c'},       {"take-over", required_argument, NULL, 't'}, {"make-store-key", required_argument, NULL, 'k'},
	{"policy-diff", required_argument, NULL, 'd'}, {"rebuild-search", required_argument, NULL, 'r'},
	{"backup", required_argument, NULL, 'b'},      {"restore", required_argument, NULL, 'R'},
	{"migrate", required_argument, NULL, 'M'},     {"share", required_argument, NULL, 'S'},
	{"join", required_argument, NULL, 'j'},	       {"move", required_argument, NULL, 'o'},
	{"finish", no_argument, NULL, 'f'},
	{"missing", required_argument, NULL, 'm'},     {"replace", no_argument, NULL, 'p'},
	{"successor-of", required_argument, NULL, 's'}, {"version", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},              {NULL, 0, NULL, 0},
};

// The rest of its command line, in any order.
static int restore(int argc, char **argv, const char *config_path)
{
	struct restore_options restore_options = {.config_path = config_path};
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 'p') {
			restore_options.replaces = true;
		} else if (option == 's') {
			restore_options.successor_of = optarg;
		} else {
			print_help(stderr);
			return EXIT_USAGE_ERROR;
		}
	}
	if (optind != argc - 1) {
		print_help(stderr);
		return EXIT_USAGE_ERROR;
	}
	restore_options.from = argv[optind];
	return backup_restore(&restore_options);
}

static int move(int argc, char **argv, const char *config_path)
{
	bool finish = false, good = true;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		good = good && option == 'f';
		finish = true;
	}
	if (!good || optind != argc - 1) {
		print_help(stderr);
		return EXIT_USAGE_ERROR;
	}
	process_harden();
	return move_run(config_path, argv[optind], finish);
}

int main(int argc, char **argv)
{
	// Not for people: the front's keeper starts it.
	if (argc == 2 && strcmp(argv[1], FRONT_ARGUMENT) == 0) {
		process_harden();
		return front_process_run();
	}
	int option = getopt_long(argc, argv, "", options, NULL);
	if (option == 'h') {
		print_help(stdout);
		return 0;
	}
	if (option == 'v') {
		printf("cpis-broker %s\n", CPIS_VERSION);
		return 0;
	}
	if ((option == 'c' || option == 'k') && optind == argc)
		return option == 'c' ? run(optarg, RUN_CHECK) : make_store_key(optarg);
	if (option == 't' && optind == argc)
		return run(optarg, RUN_TAKE_OVER);
	if (option == 'r' && optind == argc)
		return rebuild_search(optarg);
	if (option == 'M' && optind == argc)
		return migrate(optarg);
	if (option == 'b' && optind == argc - 1)
		return backup_make(optarg, argv[optind]);
	if (option == 'S' && optind == argc - 2)
		return join_share(optarg, argv[optind], argv[optind + 1]);
	if (option == 'j' && optind == argc - 1)
		return join_join(optarg, argv[optind]);
	if (option == 'm' && optind == argc)
		return backup_missing(optarg);
	if (option == 'o')
		return move(argc, argv, optarg);
	if (option == 'R')
		return restore(argc, argv, optarg);
	if (option == 'd' && optind == argc - 1)
		return compare_policies(optarg, argv[optind]);
	if (option == -1 && optind == argc - 1)
		return run(argv[optind], RUN_SERVE);
	print_help(stderr);
	return EXIT_USAGE_ERROR;
}
