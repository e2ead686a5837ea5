// PostgreSQL backend: connecting to one host after the other.
//
// libpq tries the hosts of a list itself, but without blocking it knows no time for each of them, so that one that does not answer
// would use up all of it. So each is tried by itself, and after a failure the next one first: a server that was put out of office and
// does not know it yet is left in favour of the one that is in it (target_session_attrs).
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "broker/clock.h"
#include "broker/store_postgres_priv.h"

const struct postgres_session postgres_store_session = {POSTGRES_SESSION_OPTIONS, "read-write", "cpis-broker"};

static void ignore_notice(void *context, const PGresult *result)
{
	(void)context, (void)result;
}

static bool await_connection(PGconn *connection, uint64_t deadline_ms)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	while (status != PGRES_POLLING_OK) {
		uint64_t now_ms = clock_monotonic_ms();
		if (status == PGRES_POLLING_FAILED || now_ms >= deadline_ms)
			return false;
		struct pollfd ready = {.fd = PQsocket(connection), .events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT};
		if (poll(&ready, 1, (int)(deadline_ms - now_ms)) > 0)
			status = PQconnectPoll(connection);
	}
	return true;
}

static PGconn *connect_one(struct postgres_target *target, const struct postgres_host *host, unsigned timeout_ms,
			   char failure[POSTGRES_FAILURE_BYTES])
{
	postgres_target_aim(target, host);
	PGconn *connection = PQconnectStartParams(target->keywords, target->values, 0);
	if (connection != NULL && PQstatus(connection) != CONNECTION_BAD &&
	    await_connection(connection, clock_monotonic_ms() + timeout_ms)) {
		PQsetNoticeReceiver(connection, ignore_notice, NULL);
		return connection;
	}
	const char *said = connection == NULL ? "out of memory" : PQerrorMessage(connection);
	snprintf(failure, POSTGRES_FAILURE_BYTES, "%s", said[0] != '\0' ? said : "the server does not answer in time");
	failure[strcspn(failure, "\n")] = '\0';
	PQfinish(connection);
	return NULL;
}

PGconn *postgres_target_connect(struct postgres_target *target, unsigned timeout_ms, char failure[POSTGRES_FAILURE_BYTES])
{
	for (size_t i = 0; i < target->host_count; i++) {
		const struct postgres_host *host = &target->hosts[target->next];
		target->next = (target->next + 1) % target->host_count;
		PGconn *connection = connect_one(target, host, timeout_ms, failure);
		if (connection != NULL)
			return connection;
	}
	return NULL;
}
