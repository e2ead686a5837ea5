// PostgreSQL backend: which files and ports a connection string leads to.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/store_postgres_priv.h"

#define PORT_DEFAULT 5432u

static bool add_files(const struct postgres_target *target, struct store_postgres_reach *ret)
{
	static const char *const keywords[DATABASE_FILES_MAX] = {"sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile"};
	for (const PQconninfoOption *option = target->parsed; option->keyword != NULL; option++)
		for (size_t i = 0; i < DATABASE_FILES_MAX; i++) {
			if (strcmp(option->keyword, keywords[i]) != 0 || option->val == NULL || option->val[0] == '\0')
				continue;
			char *file = ret->files[ret->file_count++];
			if ((size_t)snprintf(file, STORE_POSTGRES_PATH_BYTES, "%s", option->val) >= STORE_POSTGRES_PATH_BYTES)
				return false;
		}
	return true;
}

static bool is_address(const char *host)
{
	unsigned char room[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, host, room) == 1 || inet_pton(AF_INET6, host, room) == 1;
}

static void add_kind(const struct postgres_host *host, struct store_postgres_reach *ret)
{
	if (host->address != NULL)
		return;
	if (host->host[0] == '/' || host->host[0] == '@')
		ret->is_local = true;
	else if (!is_address(host->host))
		ret->by_name = true;
}

static void add_port(const struct postgres_host *host, struct store_postgres_reach *ret)
{
	unsigned long port = host->port == NULL ? PORT_DEFAULT : strtoul(host->port, NULL, 10);
	for (size_t i = 0; i < ret->port_count; i++)
		if (ret->ports[i] == port)
			return;
	if (port >= 1 && port <= UINT16_MAX)
		ret->ports[ret->port_count++] = (uint16_t)port;
}

enum store_status store_postgres_reach(const char *conninfo, struct store_postgres_reach *ret, char detail[STORE_DETAIL_BYTES])
{
	char failure[POSTGRES_FAILURE_BYTES] = "a file's path in the connection string is too long";
	struct postgres_target target;
	memset(ret, 0, sizeof *ret);
	bool read = postgres_target_init(&target, &postgres_store_session, conninfo, failure) && add_files(&target, ret);
	for (size_t i = 0; read && i < target.host_count; i++) {
		add_port(&target.hosts[i], ret);
		add_kind(&target.hosts[i], ret);
	}
	postgres_target_done(&target);
	if (!read)
		snprintf(detail, STORE_DETAIL_BYTES, "%.*s", STORE_DETAIL_BYTES - 1, failure);
	return read ? STORE_OK : STORE_FAILED;
}
