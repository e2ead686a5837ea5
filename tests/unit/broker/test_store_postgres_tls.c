// The PostgreSQL store over TLS: the server's certificate is verified, and the broker's own is what it is let in by.
#include "broker/store_postgres.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/postgres.h"

#define DATABASE "over_tls"

static char directory[] = "/tmp/cpis-tls-XXXXXX";
static struct postgres server;

// An authority and what it certifies, an authority that nobody trusts, and a broker that it certifies.
static const char make_certificates[] =
	"cd %s && authority() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj \"/CN=$1\""
	"  -keyout $1.key -out $1.pem; } && certify() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj \"/CN=$3\""
	"  -keyout $2.key -out $2.csr && printf 'subjectAltName=DNS:%%s' \"$3\" > $2.ext && openssl x509 -req -in $2.csr -CA $1.pem"
	"  -CAkey $1.key -CAcreateserial -days 2 -extfile $2.ext -out $2.pem; }"
	" && { authority ca && authority stranger && certify ca server localhost && certify ca broker broker1 &&"
	"  certify ca other broker2 && certify stranger forged broker1 && chmod 600 *.key; } > openssl.log 2>&1 || { cat openssl.log; exit 1; }";

static bool try_open(const char *host, const char *authority, const char *certificate, struct store **ret, char detail[STORE_DETAIL_BYTES])
{
	char conninfo[700];
	snprintf(conninfo, sizeof conninfo,
		 "host=%s hostaddr=127.0.0.1 port=%u dbname=" DATABASE " user=broker1 sslmode=verify-full sslrootcert=%s/%s.pem sslcert=%s/%s.pem"
		 " sslkey=%s/%s.key", host, server.port, directory, authority, directory, certificate, directory, certificate);
	struct store_postgres_options options = {.conninfo = conninfo, .lone_server = true};
	detail[0] = '\0';
	return store_postgres_open(&options, ret, detail) == STORE_OK;
}

static void start(void)
{
	postgres_make_database(&server, DATABASE);
}

static void stop(void)
{
	postgres_remove_database(&server, DATABASE);
}

START_TEST(commits_over_a_connection_that_both_ends_have_verified)
{
	char detail[STORE_DETAIL_BYTES];
	struct store *store = NULL;
	struct store_audit row = {.record = {(const uint8_t *)"record", 6}, .node_count = 1};
	ck_assert_msg(try_open("localhost", "ca", "broker", &store, detail), "%s", detail);
	ck_assert_str_eq(postgres_sql(&server, "postgres", DATABASE,
				      "SELECT version || ' ' || (client_dn = '/CN=broker1') FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
				      " WHERE usename = 'broker1'"), "TLSv1.3 true");
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(store->ops->audit_append(store, &row), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	store->ops->close(store);
}
END_TEST

START_TEST(refuses_a_server_of_another_name_or_authority_and_is_refused_without_its_own_certificate)
{
	static const struct {
		const char *host, *authority, *certificate, *words;
	} refused[] = {
		{"db.example", "ca", "broker", "does not match host name"},
		{"localhost", "stranger", "broker", "certificate verify failed"},
		{"localhost", "ca", "other", "certificate authentication failed"},
		{"localhost", "ca", "forged", "unknown ca"},
	};
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		char detail[STORE_DETAIL_BYTES];
		struct store *store = NULL;
		ck_assert(!try_open(refused[i].host, refused[i].authority, refused[i].certificate, &store, detail));
		ck_assert_msg(strstr(detail, refused[i].words) != NULL, "\"%s\" does not say \"%s\"", detail, refused[i].words);
	}
}
END_TEST

static bool prepare(void)
{
	char command[1500], conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES] = "cannot be made";
	if (mkdtemp(directory) == NULL)
		return false;
	snprintf(command, sizeof command, make_certificates, directory);
	if (system(command) != 0)
		return false;
	postgres_start_tls(&server, directory);
	postgres_conninfo(&server, "migrator", "template", conninfo);
	if (store_postgres_migrate(conninfo, detail) == STORE_OK)
		return true;
	fprintf(stderr, "%s\n", detail);
	return false;
}

int main(void)
{
	Suite *suite = suite_create("store_postgres_tls");
	TCase *tests = tcase_create("store_postgres_tls");
	char command[64];
	tcase_add_checked_fixture(tests, start, stop);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, commits_over_a_connection_that_both_ends_have_verified);
	tcase_add_test(tests, refuses_a_server_of_another_name_or_authority_and_is_refused_without_its_own_certificate);
	suite_add_tcase(suite, tests);
	int failed = 1;
	if (prepare()) {
		SRunner *runner = srunner_create(suite);
		srunner_run_all(runner, CK_NORMAL);
		failed = srunner_ntests_failed(runner);
		srunner_free(runner);
		postgres_stop(&server);
	}
	snprintf(command, sizeof command, "rm -rf %s", directory);
	return system(command) == 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
