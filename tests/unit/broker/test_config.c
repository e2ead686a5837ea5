// The broker's configuration file, and the YAML reading below it.
#include "broker/config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/yaml_file.h"

// Fifteen lines; what a test adds is on line 16 or after.
#define GOOD                                        \
	"# a comment that says endpoint: nothing\n" \
	"\n"                                        \
	"broker_name: broker-1\n"                   \
	"endpoint: tcp://127.0.0.1:4420\n"          \
	"certificate: pki/broker.pem\n"             \
	"key: pki/broker.key\n"                     \
	"log_key: pki/log.key\n"                    \
	"trust_directory: pki/trust\n"              \
	"enrolled_directory: pki/enrolled\n"        \
	"register_file: /etc/cpis/register.yaml\n"  \
	"policy_file: policy.yaml\n"                \
	"store_file: store/cpis.db\n"               \
	"store_key: store/store.key\n"              \
	"\n"                                        \
	"# numbers\n"

static char directory[] = "/tmp/cpis-config-XXXXXX";
static char path[64];

static void write_bytes(const char *bytes, size_t count)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, count, file), count);
	ck_assert_int_eq(fclose(file), 0);
}

static void write_text(const char *text)
{
	write_bytes(text, strlen(text));
}

static struct config *load(const char *text)
{
	struct config *config = NULL;
	char detail[CONFIG_DETAIL_BYTES] = "";
	write_text(text);
	ck_assert_msg(config_load(path, &config, detail), "%s", detail);
	return config;
}

// `expected` is what follows the path.
static void refused(const char *expected)
{
	struct config *config = NULL;
	char detail[CONFIG_DETAIL_BYTES] = "", whole[CONFIG_DETAIL_BYTES];
	ck_assert(!config_load(path, &config, detail));
	ck_assert_ptr_null(config);
	snprintf(whole, sizeof whole, "%s%s", path, expected);
	ck_assert_str_eq(detail, whole);
}

static void refuses(const char *text, const char *expected)
{
	write_text(text);
	refused(expected);
}

// GOOD with one of its lines put otherwise.
static void refuses_instead(const char *line, const char *other, const char *expected)
{
	char text[2048];
	const char *at = strstr(GOOD, line);
	ck_assert_ptr_nonnull(at);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, other, at + strlen(line));
	refuses(text, expected);
}

static void make_directory(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/broker.yaml", directory);
}

static void remove_directory(void)
{
	unlink(path);
	rmdir(path);
	ck_assert_int_eq(rmdir(directory), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

// ------------------------------------------------------------------ what loads

START_TEST(reads_every_key_with_defaults)
{
	struct config *config = load(GOOD);
	char expected[128];
	ck_assert_str_eq(config->broker_name, "broker-1");
	ck_assert_str_eq(config->endpoint, "tcp://127.0.0.1:4420");
	ck_assert_ptr_null(config->endpoint_file);
	snprintf(expected, sizeof expected, "%s/pki/broker.pem", directory);
	ck_assert_str_eq(config->certificate, expected);
	snprintf(expected, sizeof expected, "%s/store/store.key", directory);
	ck_assert_str_eq(config->store_key, expected);
	ck_assert_str_eq(config->register_file, "/etc/cpis/register.yaml");
	ck_assert_uint_eq(config->connections_max, 4096);
	ck_assert_uint_eq(config->connections_per_system_max, 1024);
	ck_assert_uint_eq(config->batch_max, 256);
	ck_assert_uint_eq(config->waiting_max, 8192);
	ck_assert_uint_eq(config->waiting_per_system_max, 1024);
	ck_assert_uint_eq(config->busy_after_ms, 12);
	ck_assert_uint_eq(config->front_memory_mb, 512);
	ck_assert_uint_eq(config->witness_required_s, 0);
	ck_assert_ptr_null(config->user);
	ck_assert_int_eq(config->sandbox, SANDBOX_BEST_EFFORT);
	config_free(config);
}
END_TEST

START_TEST(reads_the_optional_keys)
{
	struct config *config =
		load(GOOD "connections_max: 65536\nconnections_per_system_max: 65536\nbatch_max: 1\n"
			  "endpoint_file: run/endpoint\nwitness_required_s: 2678400\n"
			  "waiting_max: 65536\nwaiting_per_system_max: 65536\nbusy_after_ms: 10000\nfront_memory_mb: 64\n");
	char expected[128];
	snprintf(expected, sizeof expected, "%s/run/endpoint", directory);
	ck_assert_str_eq(config->endpoint_file, expected);
	ck_assert_uint_eq(config->connections_max, 65536);
	ck_assert_uint_eq(config->connections_per_system_max, 65536);
	ck_assert_uint_eq(config->batch_max, 1);
	ck_assert_uint_eq(config->witness_required_s, 2678400);
	ck_assert_uint_eq(config->waiting_max, 65536);
	ck_assert_uint_eq(config->waiting_per_system_max, 65536);
	ck_assert_uint_eq(config->busy_after_ms, 10000);
	ck_assert_uint_eq(config->front_memory_mb, 64);
	config_free(config);
}
END_TEST

START_TEST(the_store_is_one_file_or_one_postgresql)
{
	char text[2048];
	const char *line = "store_file: store/cpis.db\n", *at = strstr(GOOD, line);
	snprintf(text, sizeof text, "%.*sstore_postgres: host=a,b dbname=cpis\n%s", (int)(at - GOOD), GOOD, at + strlen(line));
	struct config *config = load(text);
	char detail[CONFIG_DETAIL_BYTES];
	ck_assert_ptr_null(config->store_file);
	ck_assert_str_eq(config->store_postgres, "host=a,b dbname=cpis");
	ck_assert(!config->store_lone_server);
	ck_assert(!config_has_store_file(config, "--backup", detail));
	ck_assert_ptr_nonnull(strstr(detail, "--backup is for a store_file"));
	config_free(config);
	snprintf(text, sizeof text, "%.*sstore_lone_server: yes\nstore_postgres: host=a\n%s", (int)(at - GOOD), GOOD, at + strlen(line));
	config = load(text);
	ck_assert(config->store_lone_server);
	config_free(config);
	config = load(GOOD);
	ck_assert_ptr_null(config->store_postgres);
	ck_assert(config_has_store_file(config, "--backup", detail));
	config_free(config);
	refuses_instead(line, "", ": one of store_file and store_postgres must be given, and not both");
	refuses(GOOD "store_postgres: host=a\n", ":12: one of store_file and store_postgres must be given, and not both");
	refuses(GOOD "store_lone_server: yes\n", ":16: store_lone_server needs store_postgres");
	refuses_instead(line, "store_postgres: host=a\nstore_lone_server: perhaps\n", ":13: store_lone_server must be yes or no");
	refuses_instead(line, "store_postgres: \"host=a\\tdbname=b\"\n", ":12: store_postgres has control characters");
}
END_TEST

START_TEST(the_default_per_system_gives_way_to_few_connections)
{
	struct config *config = load(GOOD "connections_max: 10\n");
	ck_assert_uint_eq(config->connections_per_system_max, 10);
	config_free(config);
}
END_TEST

START_TEST(paths_of_a_file_in_the_working_directory_stay_as_they_are)
{
	char before[4096];
	struct config *config = NULL;
	char detail[CONFIG_DETAIL_BYTES];
	write_text(GOOD);
	ck_assert_ptr_nonnull(getcwd(before, sizeof before));
	ck_assert_int_eq(chdir(directory), 0);
	bool good = config_load("broker.yaml", &config, detail);
	ck_assert_int_eq(chdir(before), 0);
	ck_assert(good);
	ck_assert_str_eq(config->trust_directory, "pki/trust");
	config_free(config);
}
END_TEST

static char *key_of(const char *log_key)
{
	char text[2048];
	const char *line = "pki/log.key", *at = strstr(GOOD, line);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, log_key, at + strlen(line));
	struct config *config = load(text);
	char *key = strdup(config->log_key);
	config_free(config);
	return key;
}

START_TEST(a_key_may_be_a_credential_of_the_service_manager)
{
	char expected[128];
	setenv("CREDENTIALS_DIRECTORY", "/run/credentials/cpis-broker.service", 1);
	char *key = key_of("credential:log.key");
	ck_assert_str_eq(key, "/run/credentials/cpis-broker.service/log.key");
	free(key);
	key = key_of("pki/log.key");
	snprintf(expected, sizeof expected, "%s/pki/log.key", directory);
	ck_assert_str_eq(key, expected);
	free(key);
	unsetenv("CREDENTIALS_DIRECTORY");
	key = key_of("credential:log.key");
	snprintf(expected, sizeof expected, "%s/keys/log.key", directory);
	ck_assert_str_eq(key, expected);
	free(key);
	refuses_instead("pki/log.key", "'credential:'", ":7: log_key: what follows credential: is one file's name");
	refuses_instead("pki/log.key", "credential:../log.key", ":7: log_key: what follows credential: is one file's name");
	refuses_instead("pki/log.key", "credential:a/b", ":7: log_key: what follows credential: is one file's name");
}
END_TEST

static void gather(void *context, const char *sentence)
{
	strcat(context, strstr(sentence, ": ") == NULL ? "?" : "");
	strncat(context, sentence, strcspn(sentence, ":"));
	strcat(context, " ");
}

START_TEST(names_every_file_that_somebody_has_to_bring)
{
	char said[512] = "";
	struct config *config = load(GOOD "endpoint_file: run/endpoint\n");
	config_missing(config, gather, said);
	ck_assert_str_eq(said, "certificate key log_key trust_directory enrolled_directory register_file policy_file store_key ");
	free(config->log_key);
	config->log_key = strdup(path);
	said[0] = '\0';
	config_missing(config, gather, said);
	ck_assert_str_eq(said, "certificate key trust_directory enrolled_directory register_file policy_file store_key ");
	config_free(config);
}
END_TEST

START_TEST(reads_as_whom_it_runs_and_how_it_is_limited)
{
	struct config *config = load(GOOD "user: cpis\nsandbox: required\n");
	ck_assert_str_eq(config->user, "cpis");
	ck_assert_int_eq(config->sandbox, SANDBOX_REQUIRED);
	config_free(config);
	config = load(GOOD "sandbox: best-effort\n");
	ck_assert_int_eq(config->sandbox, SANDBOX_BEST_EFFORT);
	config_free(config);
	config = load(GOOD "sandbox: off\n");
	ck_assert_int_eq(config->sandbox, SANDBOX_OFF);
	config_free(config);
}
END_TEST

START_TEST(the_shipped_example_loads)
{
	struct config *config = NULL;
	char detail[CONFIG_DETAIL_BYTES] = "";
	ck_assert_msg(config_load("broker/cpis-broker.yaml", &config, detail), "%s", detail);
	ck_assert_str_eq(config->policy_file, "broker/policy.yaml");
	ck_assert_str_eq(config->register_file, "broker/register.yaml");
	config_free(config);
	config_free(NULL);
}
END_TEST

#define NEXT                                  \
	"next_endpoint: tcp://127.0.0.1:4422\n" \
	"next_certificate: pki/next.pem\n"      \
	"next_key: pki/next.key\n"

START_TEST(reads_the_endpoint_for_enrolment_and_that_of_the_next_key)
{
	char expected[128];
	struct config *config = load(GOOD);
	ck_assert_ptr_null(config->enrolment_endpoint);
	ck_assert_ptr_null(config->next_endpoint);
	config_free(config);
	config = load(GOOD "enrolment_endpoint: tcp://127.0.0.1:4421\nenrolment_endpoint_file: run/enrolment\n" NEXT
			   "next_endpoint_file: run/next\n");
	ck_assert_str_eq(config->enrolment_endpoint, "tcp://127.0.0.1:4421");
	ck_assert_str_eq(config->next_endpoint, "tcp://127.0.0.1:4422");
	snprintf(expected, sizeof expected, "%s/run/enrolment", directory);
	ck_assert_str_eq(config->enrolment_endpoint_file, expected);
	snprintf(expected, sizeof expected, "%s/run/next", directory);
	ck_assert_str_eq(config->next_endpoint_file, expected);
	snprintf(expected, sizeof expected, "%s/pki/next.pem", directory);
	ck_assert_str_eq(config->next_certificate, expected);
	snprintf(expected, sizeof expected, "%s/pki/next.key", directory);
	ck_assert_str_eq(config->next_key, expected);
	config_free(config);
}
END_TEST

START_TEST(refuses_keys_that_mean_nothing_alone)
{
	static const char together[] = "next_endpoint, next_certificate and next_key go together";
	static const struct {
		const char *lines, *sentence;
		unsigned line;
	} cases[] = {
		{"next_endpoint: tcp://127.0.0.1:4422\n", together, 16},
		{"\nnext_certificate: a.pem\n", together, 17},
		{"next_key: a.key\n", together, 16},
		{"next_key: a.key\nnext_certificate: a.pem\n", together, 17},
		{"next_endpoint: tcp://127.0.0.1:4422\nnext_key: a.key\n", together, 16},
		{"next_endpoint_file: next\n", "next_endpoint_file needs next_endpoint", 16},
		{"enrolment_endpoint_file: enrolment\n", "enrolment_endpoint_file needs enrolment_endpoint", 16},
		{"enrolment_endpoint: ipc:///tmp/x\n",
		 "enrolment_endpoint must be tcp://host:port, with a port from 1 to 65535 or *", 16},
		{"next_endpoint: 127.0.0.1:4422\n",
		 "next_endpoint must be tcp://host:port, with a port from 1 to 65535 or *", 16},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[2048], expected[256];
		snprintf(text, sizeof text, "%s%s", GOOD, cases[i].lines);
		snprintf(expected, sizeof expected, ":%u: %s", cases[i].line, cases[i].sentence);
		refuses(text, expected);
	}
}
END_TEST

START_TEST(an_endpoint_may_leave_the_port_to_the_system)
{
	struct config *config = NULL;
	char detail[CONFIG_DETAIL_BYTES] = "";
	write_text("{broker_name: b, endpoint: 'tcp://[::1]:*', certificate: c, key: k, log_key: l, "
		   "trust_directory: t,\n"
		   "enrolled_directory: e, register_file: r, policy_file: p, store_file: s, store_key: S}\n");
	ck_assert_msg(config_load(path, &config, detail), "%s", detail);
	ck_assert_str_eq(config->endpoint, "tcp://[::1]:*");
	config_free(config);
}
END_TEST

// ------------------------------------------------------------------ what the file is

START_TEST(refuses_a_file_that_is_not_there)
{
	refused(": cannot be opened: No such file or directory");
}
END_TEST

START_TEST(refuses_a_directory)
{
	ck_assert_int_eq(mkdir(path, 0700), 0);
	refused(": not a regular file");
}
END_TEST

START_TEST(refuses_a_pipe_without_waiting_for_its_writer)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	refused(": not a regular file");
}
END_TEST

START_TEST(refuses_a_file_over_4_mib)
{
	size_t bytes = YAML_FILE_BYTES_MAX + 1u;
	char *text = malloc(bytes);
	ck_assert_ptr_nonnull(text);
	memset(text, '#', bytes);
	memcpy(text, GOOD, sizeof GOOD - 1);
	write_bytes(text, bytes - 1);
	struct config *config = NULL;
	char detail[CONFIG_DETAIL_BYTES];
	ck_assert(config_load(path, &config, detail));
	config_free(config);
	write_bytes(text, bytes);
	free(text);
	refused(": larger than 4 MiB");
}
END_TEST

START_TEST(refuses_what_is_not_one_yaml_mapping)
{
	refuses("", ": empty");
	refuses("# nothing\n", ": empty");
	refuses("hello\n", ": Expecting MAPPING, got event: SCALAR");
	refuses("- hello\n", ": Expecting MAPPING, got event: SEQUENCE_START");
	refuses(GOOD "---\nbroker_name: other\n", ": more than one YAML document");
	// A right-to-left override in a complaint would turn the line around for whoever reads the log.
	refuses("broker_name: b\n\xe2\x80\xaename: x\n", ":2: unknown key '???name'");
	refuses("broker_name: \xff\xfe\n", ": not YAML: invalid leading UTF-8 octet");
}
END_TEST

START_TEST(refuses_broken_yaml)
{
	struct config *config = NULL;
	char detail[CONFIG_DETAIL_BYTES] = "";
	write_text(GOOD "batch_max: \"1\n");
	ck_assert(!config_load(path, &config, detail));
	ck_assert_ptr_nonnull(strstr(detail, "not YAML: "));
	write_bytes("\0\1\2\3", 4);
	ck_assert(!config_load(path, &config, detail));
	ck_assert_ptr_nonnull(strstr(detail, "not YAML: "));
}
END_TEST

START_TEST(refuses_aliases)
{
	refuses(GOOD "connections_max: &n 4\nbatch_max: *n\n", ":17: YAML aliases are not allowed");
}
END_TEST

// ------------------------------------------------------------------ what the keys are

START_TEST(refuses_an_unknown_key_with_its_line)
{
	refuses(GOOD "\n# colour: in a comment\n\ncolour: red\n", ":19: unknown key 'colour'");
	refuses("colour: red\n" GOOD, ":1: unknown key 'colour'");
	refuses_instead("log_key:", "Log_key:", ":7: unknown key 'Log_key'");
}
END_TEST

START_TEST(refuses_a_key_that_stands_twice)
{
	refuses(GOOD "batch_max: 1\n\n# batch_max: 3\nbatch_max: 2\n", ":19: key 'batch_max' stands twice");
	refuses(GOOD "broker_name: other\n", ":16: key 'broker_name' stands twice");
}
END_TEST

START_TEST(refuses_a_missing_key)
{
	refuses_instead("log_key: pki/log.key\n", "", ":12: key 'log_key' is missing");
	refuses_instead("endpoint: tcp://127.0.0.1:4420\n", "", ":12: key 'endpoint' is missing");
}
END_TEST

START_TEST(refuses_an_empty_value)
{
	refuses_instead("pki/log.key", "''", ":7: log_key: STRING length < 1: ");
	refuses_instead("pki/log.key", "", ":7: log_key: STRING length < 1: ");
	refuses_instead("pki/log.key", "[a]", ":7: log_key: Expecting STRING, got event: SEQUENCE_START");
}
END_TEST

START_TEST(refuses_numbers_out_of_range)
{
	static const char *const bad[] = {"0",	  "65537", "-1",   "+1",	 "10k",
					  "0x10", "1.5",   "many", "4294967297", "' 7'"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char text[2048];
		snprintf(text, sizeof text, GOOD "connections_max: %s\n", bad[i]);
		refuses(text, ":16: connections_max must be a number from 1 to 65536");
	}
	refuses(GOOD "witness_required_s: 0\n", ":16: witness_required_s must be a number from 1 to 2678400");
	refuses(GOOD "witness_required_s: 2678401\n", ":16: witness_required_s must be a number from 1 to 2678400");
	refuses(GOOD "waiting_max: 65537\n", ":16: waiting_max must be a number from 1 to 65536");
	refuses(GOOD "waiting_max: 10\nwaiting_per_system_max: 11\n", ":17: waiting_per_system_max must be a number from 1 to 10");
	refuses(GOOD "busy_after_ms: 10001\n", ":16: busy_after_ms must be a number from 1 to 10000");
	refuses(GOOD "front_memory_mb: 63\n", ":16: front_memory_mb must be a number from 64 to 65536");
	refuses(GOOD "front_memory_mb: 65537\n", ":16: front_memory_mb must be a number from 64 to 65536");
	refuses(GOOD "batch_max: 1025\n", ":16: batch_max must be a number from 1 to 1024");
	refuses(GOOD "connections_max: 99999999999\n",
		":16: connections_max: STRING length > 10: 99999999999");
}
END_TEST

START_TEST(refuses_more_connections_per_system_than_in_all)
{
	refuses(GOOD "connections_max: 10\nconnections_per_system_max: 11\n",
		":17: connections_per_system_max must be a number from 1 to 10");
	refuses(GOOD "connections_per_system_max: 4097\n",
		":16: connections_per_system_max must be a number from 1 to 4096");
}
END_TEST

START_TEST(refuses_an_endpoint_that_is_not_tcp)
{
	static const char *const bad[] = {
		"ipc:///tmp/x",	  "TCP://127.0.0.1:1", "tcp://127.0.0.1",  "tcp://:1",
		"'tcp://host:'",  "tcp://host:0",      "tcp://host:65536", "tcp://host:1x",
		"tcp://host:1/x", "tcp://host:000001", "tcp://a b:1",	   "'tcp://1.2.3.4:5;6.7.8.9:1'",
		"tcp://"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		refuses_instead("tcp://127.0.0.1:4420", bad[i],
				":4: endpoint must be tcp://host:port, with a port from 1 to 65535 or *");
}
END_TEST

START_TEST(reads_how_it_is_watched)
{
	struct config *config = load(GOOD);
	ck_assert_ptr_null(config->metrics_endpoint);
	ck_assert_int_eq(config->log_format, LOG_FORMAT_TEXT);
	ck_assert(!config->drill);
	config_free(config);
	config = load(GOOD "metrics_endpoint: 127.0.0.1:9420\nmetrics_endpoint_file: run/metrics\nlog_format: json\ndrill: yes\n");
	ck_assert_str_eq(config->metrics_endpoint, "127.0.0.1:9420");
	ck_assert_ptr_nonnull(strstr(config->metrics_endpoint_file, "/run/metrics"));
	ck_assert_int_eq(config->log_format, LOG_FORMAT_JSON);
	ck_assert(config->drill);
	config_free(config);
}
END_TEST

START_TEST(refuses_to_be_watched_from_elsewhere_and_words_that_are_none)
{
	refuses(GOOD "metrics_endpoint: 0.0.0.0:9420\n",
		":16: metrics_endpoint must be a loopback address and a port from 1 to 65535 or *, as in 127.0.0.1:9420 or [::1]:9420");
	refuses(GOOD "metrics_endpoint_file: x\n", ":16: metrics_endpoint_file needs metrics_endpoint");
	refuses(GOOD "log_format: xml\n", ":16: log_format must be text or json");
	refuses(GOOD "drill: maybe\n", ":16: drill must be yes or no");
}
END_TEST

START_TEST(refuses_a_user_or_a_sandbox_that_is_none)
{
	refuses(GOOD "sandbox: on\n", ":16: sandbox must be required, best-effort or off");
	refuses(GOOD "user: \"a\\tb\"\n", ":16: user must be the name of a user of this machine");
}
END_TEST

static void path_of(char *text, size_t size, size_t bytes)
{
	static char long_path[CONFIG_PATH_BYTES_MAX + 2];
	const char *line = "/etc/cpis/register.yaml", *at = strstr(GOOD, line);
	memset(long_path, 'a', sizeof long_path);
	long_path[0] = '/';
	ck_assert_ptr_nonnull(at);
	snprintf(text, size, "%.*s%.*s%s", (int)(at - GOOD), GOOD, (int)bytes, long_path, at + strlen(line));
}

// The sentence ends with what was too long, cut.
static void refuses_as_too_long(const char *text, const char *sentence)
{
	struct config *config = NULL;
	char detail[CONFIG_DETAIL_BYTES] = "";
	write_text(text);
	ck_assert(!config_load(path, &config, detail));
	ck_assert_msg(strstr(detail, sentence) != NULL, "%s", detail);
}

START_TEST(a_path_has_4095_bytes_and_a_users_name_32)
{
	static char text[2 * CONFIG_PATH_BYTES_MAX];
	path_of(text, sizeof text, CONFIG_PATH_BYTES_MAX);
	struct config *config = load(text);
	ck_assert_uint_eq(strlen(config->register_file), CONFIG_PATH_BYTES_MAX);
	config_free(config);
	path_of(text, sizeof text, CONFIG_PATH_BYTES_MAX + 1);
	refuses_as_too_long(text, ":10: register_file: STRING length > 4095: /aaa");
	config = load(GOOD "user: abcdefghijklmnopqrstuvwxyz012345\n");
	ck_assert_uint_eq(strlen(config->user), CONFIG_USER_BYTES_MAX);
	config_free(config);
	refuses_as_too_long(GOOD "user: abcdefghijklmnopqrstuvwxyz0123456\n", ":16: user: STRING length > 32: abc");
}
END_TEST

// GOOD with a connection string of so many bytes in place of the file.
static void connection_string_of(char *text, size_t room, size_t bytes)
{
	static const char line[] = "store_file: store/cpis.db\n";
	const char *at = strstr(GOOD, line);
	size_t used = (size_t)snprintf(text, room, "%.*sstore_postgres: host=", (int)(at - GOOD), GOOD);
	memset(text + used, 'a', bytes - 5);
	snprintf(text + used + bytes - 5, room - used - (bytes - 5), "\n%s", at + sizeof line - 1);
}

START_TEST(a_connection_string_has_2000_bytes)
{
	static char text[2 * CONFIG_CONNINFO_BYTES_MAX];
	connection_string_of(text, sizeof text, CONFIG_CONNINFO_BYTES_MAX);
	struct config *config = load(text);
	ck_assert_uint_eq(strlen(config->store_postgres), CONFIG_CONNINFO_BYTES_MAX);
	config_free(config);
	connection_string_of(text, sizeof text, CONFIG_CONNINFO_BYTES_MAX + 1);
	refuses_as_too_long(text, ":12: store_postgres: STRING length > 2000: host=aaa");
}
END_TEST

START_TEST(refuses_control_characters)
{
	refuses_instead("broker-1", "\"broker\\n1\"", ":3: broker_name has control characters");
	refuses_instead("pki/log.key", "\"pki\\e[2Jlog.key\"", ":7: log_key has control characters");
	// And never repeats one into a log.
	refuses(GOOD "\"a\\eb\": 1\n", ":13: unknown key 'a?b'");
}
END_TEST

START_TEST(refuses_a_broker_name_over_64_bytes)
{
	refuses_instead("broker-1", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			":3: broker_name: STRING length > 64: "
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *config = tcase_create("config");
	tcase_add_checked_fixture(config, make_directory, remove_directory);
	tcase_add_test(config, reads_every_key_with_defaults);
	tcase_add_test(config, reads_the_optional_keys);
	tcase_add_test(config, the_store_is_one_file_or_one_postgresql);
	tcase_add_test(config, the_default_per_system_gives_way_to_few_connections);
	tcase_add_test(config, paths_of_a_file_in_the_working_directory_stay_as_they_are);
	tcase_add_test(config, the_shipped_example_loads);
	tcase_add_test(config, reads_the_endpoint_for_enrolment_and_that_of_the_next_key);
	tcase_add_test(config, refuses_keys_that_mean_nothing_alone);
	tcase_add_test(config, an_endpoint_may_leave_the_port_to_the_system);
	tcase_add_test(config, refuses_a_file_that_is_not_there);
	tcase_add_test(config, refuses_a_directory);
	tcase_add_test(config, refuses_a_pipe_without_waiting_for_its_writer);
	tcase_add_test(config, refuses_a_file_over_4_mib);
	tcase_add_test(config, refuses_what_is_not_one_yaml_mapping);
	tcase_add_test(config, refuses_broken_yaml);
	tcase_add_test(config, refuses_aliases);
	tcase_add_test(config, refuses_an_unknown_key_with_its_line);
	tcase_add_test(config, refuses_a_key_that_stands_twice);
	tcase_add_test(config, refuses_a_missing_key);
	tcase_add_test(config, refuses_an_empty_value);
	tcase_add_test(config, refuses_numbers_out_of_range);
	tcase_add_test(config, refuses_more_connections_per_system_than_in_all);
	tcase_add_test(config, refuses_an_endpoint_that_is_not_tcp);
	tcase_add_test(config, reads_as_whom_it_runs_and_how_it_is_limited);
	tcase_add_test(config, names_every_file_that_somebody_has_to_bring);
	tcase_add_test(config, a_key_may_be_a_credential_of_the_service_manager);
	tcase_add_test(config, refuses_a_user_or_a_sandbox_that_is_none);
	tcase_add_test(config, reads_how_it_is_watched);
	tcase_add_test(config, refuses_to_be_watched_from_elsewhere_and_words_that_are_none);
	tcase_add_test(config, a_path_has_4095_bytes_and_a_users_name_32);
	tcase_add_test(config, a_connection_string_has_2000_bytes);
	tcase_add_test(config, refuses_control_characters);
	tcase_add_test(config, refuses_a_broker_name_over_64_bytes);
	suite_add_tcase(suite, config);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
