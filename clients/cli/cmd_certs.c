// `cpis certs`: the registration authority's commands.
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "certs/authority.h"
#include "clients/cli/certs_request.h"
#include "clients/cli/certs_show.h"
#include "clients/cli/command_line.h"
#include "clients/cli/commands.h"

#define DAYS_DEFAULT 365u
#define DAYS_MAX 825u

int certs_failure(enum certs_status status, const char *detail)
{
	fprintf(stderr, "cpis certs: %s\n", detail);
	switch (status) {
	case CERTS_VALUE:
	case CERTS_EXISTS:
	case CERTS_CANNOT_READ:
	case CERTS_MALFORMED:
	case CERTS_WRONG_KEY_TYPE:
	case CERTS_SIGNATURE:
	case CERTS_PROFILE:
	case CERTS_NAME:
	case CERTS_FINGERPRINT:
	case CERTS_KEY_IN_USE:
	case CERTS_KEY_PERMISSIONS:
	case CERTS_TOKEN:
		return EXIT_USAGE;
	default:
		return EXIT_FAILED;
	}
}

static uint64_t now_ms(void)
{
	return (uint64_t)time(NULL) * 1000;
}

static int run_init(const struct command_line *line)
{
	char detail[CERTS_DETAIL_BYTES], origin[256];
	const char *directory = command_value(line, "dir"), *name = command_value(line, "broker-name"),
		   *log_origin = command_value(line, "log-origin");
	snprintf(origin, sizeof origin, "%s/audit", name);
	enum certs_status status =
		authority_init(directory, name, log_origin != NULL ? log_origin : origin, now_ms(), detail);
	if (status != CERTS_OK)
		return certs_failure(status, detail);
	printf("%s/private  the authority's keys: keep them here, offline\n"
	       "%s/trust    the trust bundle: copy it to the broker and to every system\n"
	       "%s/broker   the broker's certificate and keys\n"
	       "%s/enrolled the systems that the broker admits\n",
	       directory, directory, directory, directory);
	return EXIT_DONE;
}

static int read_days(const struct command_line *line, unsigned *ret)
{
	const char *text = command_value(line, "days");
	uint64_t days = DAYS_DEFAULT;
	if (text != NULL && !command_number(text, 1, DAYS_MAX, &days))
		return command_usage_error(line, "--days is a number from 1 to %u", DAYS_MAX);
	*ret = (unsigned)days;
	return EXIT_DONE;
}

// The option's value, or another one where it was not given.
static const char *value_or(const struct command_line *line, const char *option, const char *otherwise)
{
	const char *value = command_value(line, option);
	return value != NULL ? value : otherwise;
}

static int issued(enum certs_status status, const struct authority_paths *paths, const char *detail)
{
	if (status != CERTS_OK)
		return certs_failure(status, detail);
	printf("%s\n", paths->certificate);
	if (paths->key[0] != '\0')
		printf("%s\n", paths->key);
	return EXIT_DONE;
}

// Which options go together. The option that names the file that somebody sent, and whether it is a passkey's, come back.
static int find_request(const struct command_line *line, enum certificate_kind kind, struct authority_request *ret)
{
	const char *option = kind == CERTIFICATE_STAFF ? "request" : "public-key", *fingerprint = command_value(line, "fingerprint"),
		   *passkey = command_value(line, "passkey");
	*ret = (struct authority_request){.kind = kind,
					  .organisation = command_value(line, "ods"),
					  .uid = command_value(line, "uid"),
					  .name = command_value(line, kind == CERTIFICATE_BROKER ? "broker-name" : "name"),
					  .file = command_value(line, option),
					  .fingerprint = fingerprint,
					  .web_host = command_value(line, "web-host"),
					  .passkey = passkey != NULL};
	if (ret->file != NULL && passkey != NULL)
		return command_usage_error(line, "--request and --passkey are of two different keys: give one");
	if (passkey != NULL)
		ret->file = passkey;
	if ((ret->file == NULL) != (fingerprint == NULL))
		return command_usage_error(line, "--%s and --fingerprint go together", passkey != NULL ? "passkey" : option);
	if (kind == CERTIFICATE_STAFF && ret->file == NULL && (ret->uid == NULL || ret->name == NULL))
		return command_usage_error(line, "without --request or --passkey, --uid and --name are needed");
	return EXIT_DONE;
}

// One kind of certificate, with a key made here or for the one that is asked for.
static int issue(const struct command_line *line, enum certificate_kind kind, const char *file)
{
	char detail[CERTS_DETAIL_BYTES];
	struct authority_paths paths;
	struct authority_request asked;
	unsigned days = 0;
	enum certs_status status;
	int code = read_days(line, &days);
	if (code == EXIT_DONE)
		code = find_request(line, kind, &asked);
	if (code != EXIT_DONE)
		return code;
	const char *directory = command_value(line, "dir"), *out = command_value(line, "out");
	if (asked.file != NULL)
		status = authority_issue_requested(directory, &asked, out, file, days, now_ms(), &paths, detail);
	else if (kind == CERTIFICATE_SYSTEM)
		status = authority_issue_web_system(directory, asked.organisation, asked.name, asked.web_host, out, file, days,
						    now_ms(), &paths, detail);
	else if (kind == CERTIFICATE_STAFF)
		status = authority_issue_staff(directory, asked.uid, asked.name, out, file, days, now_ms(), &paths, detail);
	else
		status = authority_issue_broker(directory, asked.name, out, file, days, now_ms(), &paths, detail);
	return issued(status, &paths, detail);
}

static int run_issue_system(const struct command_line *line)
{
	return issue(line, CERTIFICATE_SYSTEM, value_or(line, "file", command_value(line, "name")));
}

static int run_issue_staff(const struct command_line *line)
{
	const char *uid = command_value(line, "uid"), *file = command_value(line, "file");
	if (file == NULL && uid == NULL)
		return command_usage_error(line, "--file is needed where --uid is not given");
	return issue(line, CERTIFICATE_STAFF, file != NULL ? file : uid);
}

static int run_issue_broker(const struct command_line *line)
{
	return issue(line, CERTIFICATE_BROKER, value_or(line, "file", "broker"));
}

static int run_revoke(const struct command_line *line)
{
	char detail[CERTS_DETAIL_BYTES];
	for (int i = 0; i < line->operand_count; i++) {
		enum certs_status status =
			authority_revoke(command_value(line, "dir"), line->operands[i], now_ms(), detail);
		if (status != CERTS_OK) {
			int code = certs_failure(status, detail);
			return i == 0 ? code : EXIT_FAILED; // the ones before are revoked: something was changed
		}
		printf("revoked: %s\n", line->operands[i]);
	}
	return EXIT_DONE;
}

static int run_refresh_lists(const struct command_line *line)
{
	char detail[CERTS_DETAIL_BYTES];
	enum certs_status status = authority_refresh_lists(command_value(line, "dir"), now_ms(), detail);
	if (status == CERTS_OK)
		return EXIT_DONE;
	certs_failure(status, detail);
	return EXIT_FAILED; // a list before the one that failed may be new
}

static int run_new_log(const struct command_line *line)
{
	char detail[CERTS_DETAIL_BYTES];
	const char *directory = command_value(line, "dir");
	enum certs_status status = authority_new_log(directory, command_value(line, "log-origin"), detail);
	if (status != CERTS_OK)
		return certs_failure(status, detail);
	printf("%s/broker/log.key      signs the successor's checkpoints: copy it to the broker\n"
	       "%s/trust/log.vkey      checks them\n"
	       "%s/trust/log.previous  is the log's before, for receipts and checkpoints of it\n",
	       directory, directory, directory);
	return EXIT_DONE;
}

#define DIRECTORY_OPTION {"dir", "DIR", "the registration authority's directory", OPTION_REQUIRED}
#define ISSUE_OPTIONS                                                                                \
	{"out", "DIR", "where certificate and key are written", OPTION_REQUIRED},                    \
	{"days", "N", "good for N days, 1 to 825 (default: 365)", OPTION_OPTIONAL}

static const struct command_option init_options[] = {
	DIRECTORY_OPTION,
	{"broker-name", "NAME", "of the first broker", OPTION_REQUIRED},
	{"log-origin", "ORIGIN", "names the audit log (default: NAME/audit)", OPTION_OPTIONAL},
	{0},
};
static const struct command_option new_log_options[] = {
	DIRECTORY_OPTION,
	{"log-origin", "ORIGIN", "names the successor in its checkpoints; not the one that the log has", OPTION_REQUIRED},
	{0},
};
static const struct command_option system_options[] = {
	DIRECTORY_OPTION,
	{"ods", "CODE", "the organisation's ODS code", OPTION_REQUIRED},
	{"name", "NAME", "of the system", OPTION_REQUIRED},
	{"web-host", "HOST", "where the organisation's pages for its staff are, e.g. cpis.trust.nhs.uk (default: it has none)",
	 OPTION_OPTIONAL},
	ISSUE_OPTIONS,
	{"public-key", "FILE", "of a key that stays with them (default: make a key pair)", OPTION_OPTIONAL},
	{"fingerprint", "DIGITS", "of that key, as they read it out", OPTION_OPTIONAL},
	{"file", "FILE", "name of the files (default: NAME)", OPTION_OPTIONAL},
	{0},
};
static const struct command_option staff_options[] = {
	DIRECTORY_OPTION,
	{"uid", "UID", "the person's staff id, 12 digits (with --request: what it must say)", OPTION_OPTIONAL},
	{"name", "NAME", "of the person (likewise)", OPTION_OPTIONAL},
	ISSUE_OPTIONS,
	{"request", "FILE", "their request (default: make a key pair)", OPTION_OPTIONAL},
	{"passkey", "FILE", "what their browser saved of a new passkey", OPTION_OPTIONAL},
	{"fingerprint", "DIGITS", "of its key, as they read it out", OPTION_OPTIONAL},
	{"file", "FILE", "name of the files (default: UID)", OPTION_OPTIONAL},
	{0},
};
static const struct command_option broker_options[] = {
	DIRECTORY_OPTION,
	{"broker-name", "NAME", "of the broker", OPTION_REQUIRED},
	ISSUE_OPTIONS,
	{"public-key", "FILE", "of a key that stays with them (default: make a key pair)", OPTION_OPTIONAL},
	{"fingerprint", "DIGITS", "of that key, as they read it out", OPTION_OPTIONAL},
	{"file", "FILE", "name of the files (default: broker)", OPTION_OPTIONAL},
	{0},
};
static const struct command_option directory_options[] = {DIRECTORY_OPTION, {0}};
static const struct command_option show_options[] = {
	{"trust", "DIR", "a trust bundle: also say whether they hold now", OPTION_OPTIONAL},
	{0},
};

static const struct command_option check_options[] = {
	{"trust", "DIR", "a trust bundle: its revocation lists too, and whether the certificates hold", OPTION_OPTIONAL},
	{"days", "N", "what ends within N days (default: 30)", OPTION_OPTIONAL},
	{0},
};

static const struct command_option request_curve_options[] = {
	{"out", "DIR", "where FILE.key and FILE.pub are written", OPTION_REQUIRED},
	{"file", "FILE", "name of the two files", OPTION_REQUIRED},
	{0},
};
static const struct command_option request_staff_options[] = {
	{"uid", "UID", "the person's staff id, 12 digits", OPTION_REQUIRED},
	{"name", "NAME", "of the person", OPTION_REQUIRED},
	{"out", "DIR", "where FILE.csr is written, and FILE.key", OPTION_REQUIRED},
	{"file", "FILE", "name of the files (default: UID)", OPTION_OPTIONAL},
	{"key-type", "TYPE", "of the key that is made: ed25519 (default), or p256 or rsa for a browser's certificate", OPTION_OPTIONAL},
	{"key", "URI", "pkcs11:... of an Ed25519 key on a token, or a key file (default: make one)", OPTION_OPTIONAL},
	{0},
};
static const struct command_option trust_options[] = {
	{"trust", "DIR", "the trust bundle that is changed", OPTION_REQUIRED},
	{0},
};

static const struct command commands[] = {
	{.name = "certs init",
	 .operands = "",
	 .help = "Makes the directory of a new registration authority: root, systems CA, staff CA, the trust bundle,\n"
		 "and the broker's certificate and keys.",
	 .options = init_options,
	 .offline = true,
	 .text_only = true,
	 .run = run_init},
	{.name = "certs issue-system",
	 .operands = "",
	 .help = "Makes a certificate for a system of an organisation, and enrols it: for the key of `certs request-system`, whose\n"
		 "fingerprint was read out over the telephone, or with a key pair made here.",
	 .options = system_options,
	 .offline = true,
	 .text_only = true,
	 .run = run_issue_system},
	{.name = "certs issue-staff",
	 .operands = "",
	 .help = "Makes a certificate for a member of staff: for the request of `certs request-staff` or for their passkey, whose\n"
		 "fingerprint was read out over the telephone, or with a key pair made here. What they may do is in the role register.",
	 .options = staff_options,
	 .offline = true,
	 .text_only = true,
	 .run = run_issue_staff},
	{.name = "certs issue-broker",
	 .operands = "",
	 .help = "The next certificate of a broker, before its last one expires: for a new key of its own, or with one made here.",
	 .options = broker_options,
	 .offline = true,
	 .text_only = true,
	 .run = run_issue_broker},
	{.name = "certs request-system",
	 .operands = "",
	 .help = "Makes the key of a system, which stays here, and its public half, which goes to the registration authority.\n"
		 "Read the fingerprint to them over the telephone.",
	 .options = request_curve_options,
	 .offline = true,
	 .text_only = true,
	 .run = certs_request_curve},
	{.name = "certs request-broker",
	 .operands = "",
	 .help = "The same for a broker.",
	 .options = request_curve_options,
	 .offline = true,
	 .text_only = true,
	 .run = certs_request_curve},
	{.name = "certs request-staff",
	 .operands = "",
	 .help = "Makes the key of a member of staff, or takes one on a PKCS#11 token, and a certificate request (PKCS#10) signed\n"
		 "by it. Read the fingerprint to the registration authority over the telephone.",
	 .options = request_staff_options,
	 .offline = true,
	 .text_only = true,
	 .run = certs_request_staff},
	{.name = "certs new-log",
	 .operands = "",
	 .help = "A new key for an audit log that cannot be gone on with, after a backup was put back: `cpis-broker --restore\n"
		 "--successor-of trust/log.previous` starts the log that goes on from it.",
	 .options = new_log_options,
	 .offline = true,
	 .text_only = true,
	 .run = run_new_log},
	{.name = "certs adopt",
	 .operands = "NEXT_TRUST",
	 .help = "Takes the authorities of another trust bundle in beside those of this one: certificates of both hold from then\n"
		 "on. Again brings in their newer lists.",
	 .options = trust_options,
	 .operands_min = 1,
	 .operands_max = 1,
	 .offline = true,
	 .text_only = true,
	 .run = certs_adopt},
	{.name = "certs finish-rotation",
	 .operands = "",
	 .help = "The adopted authorities take the place of the old ones, whose certificates do not hold any more.",
	 .options = trust_options,
	 .offline = true,
	 .text_only = true,
	 .run = certs_finish_rotation},
	{.name = "certs revoke",
	 .operands = "CERTIFICATE.pem...",
	 .help = "Puts certificates on their authority's revocation list. The list then has to reach every trust bundle.",
	 .options = directory_options,
	 .operands_min = 1,
	 .operands_max = 1000,
	 .offline = true,
	 .text_only = true,
	 .run = run_revoke},
	{.name = "certs refresh-lists",
	 .operands = "",
	 .help = "Writes the three revocation lists anew, good for 30 days from now. Run it daily.",
	 .options = directory_options,
	 .offline = true,
	 .text_only = true,
	 .run = run_refresh_lists},
	{.name = "certs show",
	 .operands = "CERTIFICATE.pem...",
	 .help = "What certificates say. An authority's own certificate is not judged.",
	 .options = show_options,
	 .operands_min = 1,
	 .operands_max = 1000,
	 .offline = true,
	 .run = certs_show},
	{.name = "certs check",
	 .operands = "CERTIFICATE.pem...",
	 .help = "What ends within so many days, the first one first; for monitoring. Exit code 0: nothing does, 5: something\n"
		 "does, 3: something does not hold any more.",
	 .options = check_options,
	 .operands_max = 1000,
	 .offline = true,
	 .run = certs_check},
};

int command_certs(int argc, char **argv)
{
	return command_dispatch_group("certs", "The registration authority's work, offline, and looking at certificates.",
				      commands, sizeof commands / sizeof commands[0], argc, argv);
}
