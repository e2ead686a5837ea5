// Which PostgreSQL a connection string may lead to, and with what a session there is opened.
#include "certs/postgres_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(char failure[POSTGRES_FAILURE_BYTES], const char *what)
{
	snprintf(failure, POSTGRES_FAILURE_BYTES, "%s", what);
	return false;
}

static const char *setting(const struct postgres_target *target, const char *keyword)
{
	for (const PQconninfoOption *option = target->parsed; option->keyword != NULL; option++)
		if (strcmp(option->keyword, keyword) == 0)
			return option->val == NULL || option->val[0] == '\0' ? NULL : option->val;
	return NULL;
}

static bool add(struct postgres_target *target, const char *keyword, const char *value)
{
	// For a host's name, address and port, one of the caller's, and the end.
	if (target->setting_count + 5 >= TARGET_SETTINGS)
		return false;
	target->keywords[target->setting_count] = keyword;
	target->values[target->setting_count++] = value;
	return true;
}

// What is ours to say, or is said for each host.
static bool is_ours(const char *keyword)
{
	static const char *const ours[] = {"host", "hostaddr", "port", "options", "gssencmode", "target_session_attrs", "connect_timeout",
					   "client_encoding", "fallback_application_name"};
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (strcmp(ours[i], keyword) == 0)
			return true;
	return false;
}

static bool add_settings(struct postgres_target *target, const struct postgres_session *session)
{
	const char *options = setting(target, "options");
	if (asprintf(&target->text[3], "%s%s", options == NULL ? "" : options, session->options) < 0) {
		target->text[3] = NULL;
		return false;
	}
	for (const PQconninfoOption *option = target->parsed; option->keyword != NULL; option++)
		if (!is_ours(option->keyword) && option->val != NULL && !add(target, option->keyword, option->val))
			return false;
	return add(target, "options", target->text[3]) &&
	       // GSS would come instead of TLS and what it verifies.
	       add(target, "gssencmode", "disable") && add(target, "target_session_attrs", session->attributes) &&
	       add(target, "client_encoding", "UTF8") && add(target, "fallback_application_name", session->application);
}

// A list's items; in `items` what is empty is NULL.
static size_t split(char *list, const char *items[POSTGRES_TARGET_HOSTS_MAX])
{
	size_t count = 0;
	for (char *item; list != NULL && (item = strsep(&list, ",")) != NULL; count++) {
		if (count == POSTGRES_TARGET_HOSTS_MAX)
			return POSTGRES_TARGET_HOSTS_MAX + 1;
		items[count] = item[0] == '\0' ? NULL : item;
	}
	return count;
}

static bool add_hosts(struct postgres_target *target, char failure[POSTGRES_FAILURE_BYTES])
{
	static const char *const lists[] = {"host", "hostaddr", "port"};
	const char *items[3][POSTGRES_TARGET_HOSTS_MAX] = {{NULL}};
	size_t counts[3] = {0};
	for (int i = 0; i < 3; i++) {
		const char *list = setting(target, lists[i]);
		if (list != NULL && (target->text[i] = strdup(list)) == NULL)
			return refuse(failure, "out of memory");
		counts[i] = split(target->text[i], items[i]);
	}
	target->host_count = counts[0] > counts[1] ? counts[0] : counts[1];
	// What is not said would come from the environment, where nobody looks for it.
	if (target->host_count == 0)
		return refuse(failure, "the connection string names no host");
	if (target->host_count > POSTGRES_TARGET_HOSTS_MAX)
		return refuse(failure, "the connection string names more than 8 hosts");
	if ((counts[0] != 0 && counts[1] != 0 && counts[0] != counts[1]) ||
	    (counts[2] > 1 && counts[2] != target->host_count) || counts[2] > POSTGRES_TARGET_HOSTS_MAX)
		return refuse(failure, "the connection string has not as many hosts, addresses and ports");
	for (size_t i = 0; i < target->host_count; i++) {
		target->hosts[i] = (struct postgres_host){items[0][i], items[1][i], items[2][counts[2] == 1 ? 0 : i]};
		if (target->hosts[i].host == NULL && target->hosts[i].address == NULL)
			return refuse(failure, "the connection string has an empty host");
	}
	return true;
}

// An address decides where one is given.
static bool is_of_this_machine(const struct postgres_host *host)
{
	const char *where = host->address != NULL ? host->address : host->host;
	return (host->address == NULL && (where[0] == '/' || where[0] == '@' || strcmp(where, "localhost") == 0)) ||
	       strcmp(where, "127.0.0.1") == 0 || strcmp(where, "::1") == 0;
}

static bool is_verified(const struct postgres_target *target, char failure[POSTGRES_FAILURE_BYTES])
{
	const char *mode = setting(target, "sslmode");
	bool near = true;
	for (size_t i = 0; i < target->host_count; i++)
		near = near && is_of_this_machine(&target->hosts[i]);
	if (near)
		return true;
	if (mode == NULL || strcmp(mode, "verify-full") != 0)
		return refuse(failure, "the connection string is to say sslmode=verify-full: a host is neither a Unix socket nor loopback");
	if (setting(target, "sslrootcert") == NULL || setting(target, "sslcert") == NULL || setting(target, "sslkey") == NULL)
		return refuse(failure, "the connection string is to name sslrootcert, sslcert and sslkey");
	return true;
}

bool postgres_target_init(struct postgres_target *target, const struct postgres_session *session, const char *conninfo,
			  char failure[POSTGRES_FAILURE_BYTES])
{
	memset(target, 0, sizeof *target);
	target->parsed = PQconninfoParse(conninfo, NULL);
	if (target->parsed == NULL)
		return refuse(failure, "the connection string cannot be read");
	// libpq takes from there what the string does not say: another address, for one, than that of a host of this machine.
	if (setting(target, "service") != NULL || getenv("PGSERVICE") != NULL || getenv("PGHOSTADDR") != NULL)
		return refuse(failure, "the connection string is to say itself what a service file, PGSERVICE or PGHOSTADDR would say");
	// Of a command line everybody on the machine reads it, and messages quote it.
	if (setting(target, "password") != NULL || getenv("PGPASSWORD") != NULL)
		return refuse(failure, "the connection string is to name a passfile, or a certificate, rather than to have a password");
	if (setting(target, "sslcrldir") != NULL)
		return refuse(failure, "the connection string is to name one file of revoked certificates, sslcrl, rather than sslcrldir");
	if (!add_hosts(target, failure) || !is_verified(target, failure))
		return false;
	return add_settings(target, session) || refuse(failure, "out of memory");
}

void postgres_target_done(struct postgres_target *target)
{
	PQconninfoFree(target->parsed);
	for (size_t i = 0; i < sizeof target->text / sizeof target->text[0]; i++)
		free(target->text[i]);
	memset(target, 0, sizeof *target);
}

void postgres_target_aim(struct postgres_target *target, const struct postgres_host *host)
{
	static const char *const keywords[] = {"host", "hostaddr", "port"};
	const char *values[] = {host->host, host->address, host->port};
	size_t count = target->setting_count;
	for (size_t i = 0; i < 3; i++)
		if (values[i] != NULL) {
			target->keywords[count] = keywords[i];
			target->values[count++] = values[i];
		}
	target->keywords[count] = target->values[count] = NULL;
}
