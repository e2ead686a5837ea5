// PostgreSQL as its users would: prepared statements, and libpq's pipeline mode, in which the three of one query travel together
// and are one transaction.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "tests/bench/link.h"

#define RECORD_BYTES 400 // of an audit record

struct link {
	PGconn *database;
	unsigned under_way;
};

static const struct {
	const char *name, *sql;
} statements[] = {
	{"look", "SELECT sealed FROM plan WHERE child = $1"},
	{"record", "INSERT INTO audit (who, child, record) VALUES (current_setting('cpis.uid'), $1, $2)"},
	{"tell", "INSERT INTO outbox (authority, child) SELECT authority, child FROM plan WHERE child = $1"},
};
#define STATEMENTS (sizeof statements / sizeof statements[0])

static void must(const struct link *link, bool good)
{
	if (!good)
		fprintf(stderr, "bench: PostgreSQL: %s", PQerrorMessage(link->database));
	link_must(good, "PostgreSQL");
}

static struct link *open_link(const void *to, unsigned number)
{
	const struct link_peer_target *target = to;
	char where[2048];
	struct link *link = calloc(1, sizeof *link);
	(void)number;
	link_must(link != NULL, "memory");
	snprintf(where, sizeof where,
		 "host=localhost hostaddr=127.0.0.1 port=%u dbname=cpis user=client sslmode=verify-full ssl_min_protocol_version=TLSv1.3 "
		 "gssencmode=disable sslrootcert=%s/ca.pem sslcert=%s/client.pem sslkey=%s/client.key options='-c cpis.uid=555000000001'",
		 target->port, target->directory, target->directory, target->directory);
	link->database = PQconnectdb(where);
	must(link, PQstatus(link->database) == CONNECTION_OK);
	for (size_t i = 0; i < STATEMENTS; i++) {
		PGresult *result = PQprepare(link->database, statements[i].name, statements[i].sql, 0, NULL);
		must(link, PQresultStatus(result) == PGRES_COMMAND_OK);
		PQclear(result);
	}
	must(link, PQsetnonblocking(link->database, 1) == 0 && PQenterPipelineMode(link->database) == 1);
	return link;
}

static bool is_ready(const struct link *link)
{
	(void)link;
	return true;
}

static int fd_of(const struct link *link)
{
	return PQsocket(link->database);
}

// The request is a child's key.
static void send_request(struct link *link, const uint8_t *request, size_t bytes)
{
	static const char record[RECORD_BYTES];
	char child[32];
	snprintf(child, sizeof child, "%.*s", (int)bytes, (const char *)request);
	const char *values[] = {child, record};
	const int lengths[] = {0, RECORD_BYTES}, formats[] = {0, 1};
	for (size_t i = 0; i < STATEMENTS; i++)
		must(link, PQsendQueryPrepared(link->database, statements[i].name, i == 1 ? 2 : 1, values, lengths, formats, 1) == 1);
	must(link, PQpipelineSync(link->database) == 1);
	link->under_way++;
}

static bool flush(struct link *link)
{
	int left = PQflush(link->database);
	must(link, left >= 0);
	return left == 0;
}

static void receive(struct link *link, link_take *take, void *context)
{
	must(link, PQconsumeInput(link->database) == 1);
	while (link->under_way > 0 && PQisBusy(link->database) == 0) {
		PGresult *result = PQgetResult(link->database);
		if (result == NULL) // between two statements
			continue;
		ExecStatusType status = PQresultStatus(result);
		must(link, status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_PIPELINE_SYNC);
		PQclear(result);
		if (status == PGRES_PIPELINE_SYNC) {
			link->under_way--;
			take(context, NULL, 0);
		}
	}
}

static void close_link(struct link *link)
{
	PQfinish(link->database);
	free(link);
}

const struct link_ops link_postgres = {open_link, is_ready, fd_of, send_request, flush, receive, close_link};
