// `cpis certs`: the registration authority's commands, and showing what a certificate says.
#include "clients/cli/commands.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "certs/authority.h"
#include "certs/identity.h"

#define DAYS_DEFAULT 365u

struct arguments {
	const char *directory, *broker_name, *log_origin, *organisation, *uid, *name, *out, *file, *trust;
	unsigned days;
	bool json;
	char **files;
	int files_count;
};

typedef int run(const struct arguments *arguments, uint64_t now_ms);

static run run_init, run_issue_system, run_issue_staff, run_issue_broker, run_revoke, run_refresh_lists,
	run_show;

// The options each command takes, by their letters in `options`; the capital ones must be given.
static const struct command {
	const char *name, *letters, *usage, *help;
	int files_min, files_max;
	run *run;
} commands[] = {
	{"init", "DBo", "--dir DIR --broker-name NAME [--log-origin ORIGIN]",
	 "Makes the directory of a new registration authority: root, systems CA, staff CA, the trust\n"
	 "bundle, and the broker's certificate and keys. ORIGIN names the audit log; without it, NAME/audit.\n",
	 0, 0, run_init},
	{"issue-system", "DSNOfd", "--dir DIR --ods CODE --name NAME --out DIR [--file FILE] [--days N]",
	 "Makes a key pair and a certificate for a system of an organisation, and enrols it: FILE.pem and\n"
	 "FILE.key in the --out directory. FILE is the name unless said otherwise. Good for 365 days unless\n"
	 "said otherwise, 825 at most.\n",
	 0, 0, run_issue_system},
	{"issue-staff", "DUNOfd", "--dir DIR --uid UID --name NAME --out DIR [--file FILE] [--days N]",
	 "The same for a member of staff. UID is 12 digits; FILE is the UID unless said otherwise.\n", 0, 0,
	 run_issue_staff},
	{"issue-broker", "DBOfd", "--dir DIR --broker-name NAME --out DIR [--file FILE] [--days N]",
	 "The next certificate of a broker, with a new key, before its last one expires.\n", 0, 0,
	 run_issue_broker},
	{"revoke", "D", "--dir DIR CERTIFICATE.pem...",
	 "Puts certificates on their authority's revocation list. The list then has to reach every trust\n"
	 "bundle.\n",
	 1, 1000, run_revoke},
	{"refresh-lists", "D", "--dir DIR",
	 "Writes the three revocation lists anew, good for 30 days from now. Run it daily.\n", 0, 0,
	 run_refresh_lists},
	{"show", "tj", "[--trust DIR] [--json] CERTIFICATE.pem...",
	 "What certificates say; with a trust bundle, also whether they hold now\n"
	 "(an authority's own certificate is not judged).\n",
	 1, 1000, run_show},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static const struct option options[] = {
	{"dir", required_argument, NULL, 'D'},
	{"broker-name", required_argument, NULL, 'B'},
	{"log-origin", required_argument, NULL, 'o'},
	{"ods", required_argument, NULL, 'S'},
	{"uid", required_argument, NULL, 'U'},
	{"name", required_argument, NULL, 'N'},
	{"out", required_argument, NULL, 'O'},
	{"file", required_argument, NULL, 'f'},
	{"days", required_argument, NULL, 'd'},
	{"trust", required_argument, NULL, 't'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char *option_name(int letter)
{
	for (const struct option *option = options; option->name != NULL; option++)
		if (option->val == letter)
			return option->name;
	return "?";
}

static void print_help(FILE *stream)
{
	fputs("usage: cpis certs COMMAND ...\n\nThe registration authority's work, offline, and looking at "
	      "certificates.\n\n",
	      stream);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(stream, "  cpis certs %s %s\n", commands[i].name, commands[i].usage);
	fputs("\n`cpis certs COMMAND --help` says more.\n", stream);
}

static int usage_error(const char *command, const char *what, const char *value)
{
	fprintf(stderr, "cpis certs%s%s: %s%s%s; see cpis certs%s%s --help\n", command == NULL ? "" : " ",
		command == NULL ? "" : command, what, value == NULL ? "" : " ", value == NULL ? "" : value,
		command == NULL ? "" : " ", command == NULL ? "" : command);
	return EXIT_USAGE;
}

static int failure(enum certs_status status, const char *detail)
{
	fprintf(stderr, "cpis certs: %s\n", detail);
	switch (status) {
	case CERTS_VALUE:
	case CERTS_EXISTS:
	case CERTS_CANNOT_READ:
	case CERTS_MALFORMED:
		return EXIT_USAGE;
	default:
		return EXIT_FAILED;
	}
}

static bool parse_days(const char *text, unsigned *ret)
{
	char *end = NULL;
	errno = 0;
	unsigned long days = strtoul(text, &end, 10);
	if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || days < 1 || days > 825)
		return false;
	*ret = (unsigned)days;
	return true;
}

static bool take(struct arguments *arguments, int letter, const char *value)
{
	switch (letter) {
	case 'D':
		arguments->directory = value;
		return true;
	case 'B':
		arguments->broker_name = value;
		return true;
	case 'o':
		arguments->log_origin = value;
		return true;
	case 'S':
		arguments->organisation = value;
		return true;
	case 'U':
		arguments->uid = value;
		return true;
	case 'N':
		arguments->name = value;
		return true;
	case 'O':
		arguments->out = value;
		return true;
	case 'f':
		arguments->file = value;
		return true;
	case 't':
		arguments->trust = value;
		return true;
	case 'j':
		arguments->json = true;
		return true;
	case 'd':
		return parse_days(value, &arguments->days);
	default:
		return false;
	}
}

// EXIT_DONE, or the exit code; *ret_help when there is nothing left to do.
static int parse(const struct command *command, int argc, char **argv, struct arguments *ret, bool *ret_help)
{
	bool given[128] = {false};
	int letter;
	*ret = (struct arguments){.days = DAYS_DEFAULT};
	*ret_help = false;
	optind = 0; // glibc: start over, main may have parsed before
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (letter == 'h') {
			printf("usage: cpis certs %s %s\n\n%s", command->name, command->usage, command->help);
			*ret_help = true;
			return EXIT_DONE;
		}
		if (letter == '?')
			return usage_error(command->name, "unknown option", argv[optind - 1]);
		if (letter == ':')
			return usage_error(command->name, "no value for", argv[optind - 1]);
		if (strchr(command->letters, letter) == NULL)
			return usage_error(command->name, "this command has no option", option_name(letter));
		if (!take(ret, letter, optarg))
			return usage_error(command->name, "--days is a number from 1 to 825, not", optarg);
		given[letter] = true;
	}
	for (const char *c = command->letters; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z' && !given[(unsigned char)*c])
			return usage_error(command->name, "missing option", option_name(*c));
	ret->files = argv + optind;
	ret->files_count = argc - optind;
	if (ret->files_count < command->files_min)
		return usage_error(command->name, "no certificate file given", NULL);
	if (ret->files_count > command->files_max)
		return usage_error(command->name, "unexpected argument", argv[optind]);
	return EXIT_DONE;
}

static int run_init(const struct arguments *arguments, uint64_t now_ms)
{
	char detail[CERTS_DETAIL_BYTES], origin[256];
	snprintf(origin, sizeof origin, "%s/audit", arguments->broker_name);
	const char *log_origin = arguments->log_origin != NULL ? arguments->log_origin : origin;
	enum certs_status status =
		authority_init(arguments->directory, arguments->broker_name, log_origin, now_ms, detail);
	if (status != CERTS_OK)
		return failure(status, detail);
	printf("%s/private  the authority's keys: keep them here, offline\n"
	       "%s/trust    the trust bundle: copy it to the broker and to every system\n"
	       "%s/broker   the broker's certificate and keys\n"
	       "%s/enrolled the systems that the broker admits\n",
	       arguments->directory, arguments->directory, arguments->directory, arguments->directory);
	return EXIT_DONE;
}

static int issued(enum certs_status status, const struct authority_paths *paths, const char *detail)
{
	if (status != CERTS_OK)
		return failure(status, detail);
	printf("%s\n%s\n", paths->certificate, paths->key);
	return EXIT_DONE;
}

static int run_issue_system(const struct arguments *arguments, uint64_t now_ms)
{
	char detail[CERTS_DETAIL_BYTES];
	struct authority_paths paths;
	const char *file = arguments->file != NULL ? arguments->file : arguments->name;
	enum certs_status status =
		authority_issue_system(arguments->directory, arguments->organisation, arguments->name,
				       arguments->out, file, arguments->days, now_ms, &paths, detail);
	return issued(status, &paths, detail);
}

static int run_issue_staff(const struct arguments *arguments, uint64_t now_ms)
{
	char detail[CERTS_DETAIL_BYTES];
	struct authority_paths paths;
	const char *file = arguments->file != NULL ? arguments->file : arguments->uid;
	enum certs_status status =
		authority_issue_staff(arguments->directory, arguments->uid, arguments->name, arguments->out,
				      file, arguments->days, now_ms, &paths, detail);
	return issued(status, &paths, detail);
}

static int run_issue_broker(const struct arguments *arguments, uint64_t now_ms)
{
	char detail[CERTS_DETAIL_BYTES];
	struct authority_paths paths;
	const char *file = arguments->file != NULL ? arguments->file : "broker";
	enum certs_status status =
		authority_issue_broker(arguments->directory, arguments->broker_name, arguments->out, file,
				       arguments->days, now_ms, &paths, detail);
	return issued(status, &paths, detail);
}

static int run_revoke(const struct arguments *arguments, uint64_t now_ms)
{
	char detail[CERTS_DETAIL_BYTES];
	for (int i = 0; i < arguments->files_count; i++) {
		enum certs_status status =
			authority_revoke(arguments->directory, arguments->files[i], now_ms, detail);
		if (status != CERTS_OK) {
			int code = failure(status, detail);
			return i == 0 ? code : EXIT_FAILED; // the ones before are revoked: something was changed
		}
		printf("revoked: %s\n", arguments->files[i]);
	}
	return EXIT_DONE;
}

static int run_refresh_lists(const struct arguments *arguments, uint64_t now_ms)
{
	char detail[CERTS_DETAIL_BYTES];
	enum certs_status status = authority_refresh_lists(arguments->directory, now_ms, detail);
	if (status == CERTS_OK)
		return EXIT_DONE;
	failure(status, detail);
	return EXIT_FAILED; // a list before the one that failed may be new
}

static const char *kind_text(enum certificate_kind kind)
{
	switch (kind) {
	case CERTIFICATE_SYSTEM:
		return "system";
	case CERTIFICATE_BROKER:
		return "broker";
	case CERTIFICATE_STAFF:
		return "staff";
	case CERTIFICATE_AUTHORITY:
		return "authority";
	}
	return "?";
}

static void format_time(uint64_t ms, char out[32])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm parts;
	if (gmtime_r(&seconds, &parts) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		snprintf(out, 32, "?");
}

// Not for an authority's: those of a bundle are checked as it is loaded, and no others are anybody's business.
static enum certs_status judge(const struct trust *trust, const char *path,
			       const struct certificate_description *description, uint64_t now_ms,
			       char detail[CERTS_DETAIL_BYTES])
{
	struct system_identity system;
	struct broker_identity broker;
	struct staff_identity staff;
	switch (description->kind) {
	case CERTIFICATE_SYSTEM:
		return trust_verify_system_file(trust, path, now_ms, &system, detail);
	case CERTIFICATE_BROKER:
		return trust_verify_broker_file(trust, path, description->name, now_ms, &broker, detail);
	case CERTIFICATE_STAFF:
		return trust_verify_staff_file(trust, path, now_ms, &staff, detail);
	case CERTIFICATE_AUTHORITY:
		break;
	}
	return CERTS_OK;
}

static void format_hexadecimal(const uint8_t *bytes, size_t count, char *out)
{
	for (size_t i = 0; i < count; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

struct shown {
	const char *path;
	struct certificate_description description;
	char serial[2 * SERIAL_BYTES_MAX + 1], key[65], from[32], until[32];
	bool judged;
	enum certs_status verdict;
	char detail[CERTS_DETAIL_BYTES];
};

static void print_shown(const struct shown *shown)
{
	printf("%s\n  kind         %s\n", shown->path, kind_text(shown->description.kind));
	printf("  name         %s\n", shown->description.name);
	if (shown->description.kind == CERTIFICATE_SYSTEM)
		printf("  organisation %s\n", shown->description.organisation);
	if (shown->description.kind == CERTIFICATE_STAFF)
		printf("  uid          %s\n", shown->description.uid);
	printf("  key          SHA-256 %s\n  serial       %s\n  valid        %s until %s\n", shown->key,
	       shown->serial, shown->from, shown->until);
	if (shown->judged)
		printf("  holds now    %s%s\n", shown->verdict == CERTS_OK ? "yes" : "no: ",
		       shown->verdict == CERTS_OK ? "" : certs_status_text(shown->verdict));
}

static json_t *json_of(const struct shown *shown)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "file", shown->path, "kind",
				   kind_text(shown->description.kind), "name", shown->description.name,
				   "key_sha256", shown->key, "serial", shown->serial, "not_before",
				   shown->from, "not_after", shown->until);
	if (object == NULL)
		return NULL;
	if (shown->description.kind == CERTIFICATE_SYSTEM)
		json_object_set_new(object, "organisation", json_string(shown->description.organisation));
	if (shown->description.kind == CERTIFICATE_STAFF)
		json_object_set_new(object, "uid", json_string(shown->description.uid));
	if (shown->judged) {
		json_object_set_new(object, "holds", json_boolean(shown->verdict == CERTS_OK));
		if (shown->verdict != CERTS_OK)
			json_object_set_new(object, "why", json_string(shown->detail));
	}
	return object;
}

static enum certs_status look_at(const struct trust *trust, const char *path, uint64_t now_ms,
				 struct shown *ret)
{
	*ret = (struct shown){.path = path};
	enum certs_status status = certificate_describe_file(path, &ret->description, ret->detail);
	if (status != CERTS_OK)
		return status;
	certificate_serial_format(&ret->description.serial, ret->serial);
	format_hexadecimal(ret->description.key_sha256, sizeof ret->description.key_sha256, ret->key);
	format_time(ret->description.not_before_ms, ret->from);
	format_time(ret->description.not_after_ms, ret->until);
	ret->judged = trust != NULL && ret->description.kind != CERTIFICATE_AUTHORITY;
	if (ret->judged)
		ret->verdict = judge(trust, path, &ret->description, now_ms, ret->detail);
	return CERTS_OK;
}

static int run_show(const struct arguments *arguments, uint64_t now_ms)
{
	char detail[CERTS_DETAIL_BYTES];
	struct trust *trust = NULL;
	int code = EXIT_DONE;
	if (arguments->trust != NULL) {
		enum certs_status status = trust_load(arguments->trust, &trust, detail);
		if (status != CERTS_OK)
			return failure(status, detail);
	}
	json_t *list = arguments->json ? json_array() : NULL;
	for (int i = 0; i < arguments->files_count; i++) {
		struct shown shown;
		enum certs_status status = look_at(trust, arguments->files[i], now_ms, &shown);
		if (status != CERTS_OK) {
			code = failure(status, shown.detail);
			continue;
		}
		if (list != NULL)
			json_array_append_new(list, json_of(&shown));
		else
			print_shown(&shown);
		if (shown.judged && shown.verdict != CERTS_OK) {
			fprintf(stderr, "cpis certs: %s\n", shown.detail);
			code = code == EXIT_DONE ? EXIT_REFUSED : code;
		}
	}
	if (list != NULL) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(list);
	trust_free(trust);
	return code;
}

int command_certs(int argc, char **argv)
{
	struct arguments arguments;
	bool help = false;
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		int code = parse(&commands[i], argc - 1, argv + 1, &arguments, &help);
		if (code != EXIT_DONE || help)
			return code;
		return commands[i].run(&arguments, (uint64_t)time(NULL) * 1000);
	}
	return usage_error(NULL, "unknown command", argv[1]);
}
