// A throw-away PostgreSQL, and the process that keeps it.
#include "tests/harness/postgres.h"

#include <errno.h>
#include <ftw.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "broker/clock.h"
#include "tests/harness/process_tree.h"

#define BINARIES "/usr/lib/postgresql/15/bin"
#define READY "ready to accept " // connections; of a standby, read-only ones
#define START_MS 60000

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "postgres: %s\n", what);
	abort();
}

// What the keeper makes its cluster of.
struct origin {
	const char *settings, *certificates; // or NULL
	const struct postgres *primary;      // NULL: a new cluster
	const char *name;                    // of a standby
};

// ------------------------------------------------------------------ the keeper

static int remove_one(const char *at, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(at);
}

// PostgreSQL refuses to run as root.
static void become_postgres(void)
{
	if (geteuid() != 0)
		return;
	const struct passwd *user = getpwnam("postgres");
	must(user != NULL && initgroups(user->pw_name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0,
	     "there is no user postgres");
}

static pid_t launch(const char *const command[], int output)
{
	static const char *const environment[] = {"PATH=" BINARIES ":/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=/tmp", NULL};
	pid_t child = fork();
	must(child >= 0, "fork");
	if (child > 0)
		return child;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	become_postgres();
	// After the change of user, which clears it. Its own processes end when it is gone.
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	must(chdir("/") == 0 && dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0, "output");
	execve(command[0], (char *const *)(uintptr_t)command, (char *const *)(uintptr_t)environment);
	_exit(127);
}

static void configure(const struct postgres *postgres, const char *settings)
{
	char path[80];
	snprintf(path, sizeof path, "%s/data/postgresql.conf", postgres->directory);
	FILE *file = fopen(path, "a");
	must(file != NULL, "postgresql.conf");
	fprintf(file, "unix_socket_directories = '%s'\n%s\n", postgres->directory, settings == NULL ? "" : settings);
	must(fclose(file) == 0, "postgresql.conf");
}

// The key is to be the server's own, and nobody else's.
static void take_certificates(const struct postgres *postgres, const char *certificates)
{
	static const char *const names[] = {"server.pem", "server.key", "ca.pem"};
	char from[200], to[120], path[80], bytes[8192];
	for (size_t i = 0; i < 3; i++) {
		snprintf(from, sizeof from, "%s/%s", certificates, names[i]);
		snprintf(to, sizeof to, "%s/data/%s", postgres->directory, names[i]);
		FILE *source = fopen(from, "r"), *target = fopen(to, "w");
		must(source != NULL && target != NULL, "its certificates");
		size_t count = fread(bytes, 1, sizeof bytes, source);
		must(fwrite(bytes, 1, count, target) == count && fclose(target) == 0 && fclose(source) == 0, "its certificates");
		const struct passwd *user = getpwnam("postgres");
		must(chmod(to, 0600) == 0 && (geteuid() != 0 || chown(to, user->pw_uid, user->pw_gid) == 0), "its certificates");
	}
	snprintf(path, sizeof path, "%s/data/pg_hba.conf", postgres->directory);
	FILE *access_rules = fopen(path, "w");
	must(access_rules != NULL && fputs("local all all trust\nlocal replication all trust\nhostssl all all 127.0.0.1/32 cert\n", access_rules) >= 0 &&
		     fclose(access_rules) == 0, "pg_hba.conf");
}

static bool runs_well(const char *const command[], int output)
{
	int status = 0;
	pid_t child = launch(command, output);
	return waitpid(child, &status, 0) == child && status == 0;
}

// With the primary's settings, but for its socket's place.
static bool copy_cluster(const struct origin *origin, const char *data, int output)
{
	char conninfo[200];
	snprintf(conninfo, sizeof conninfo, "host=%s port=%u user=postgres application_name=%s", origin->primary->directory,
		 origin->primary->port, origin->name);
	const char *const command[] = {BINARIES "/pg_basebackup", "-D", data, "-d", conninfo, "-X", "stream", "-c", "fast", "-R", NULL};
	return runs_well(command, output);
}

static bool make_cluster(const struct postgres *postgres, const struct origin *origin, int output)
{
	char data[80];
	snprintf(data, sizeof data, "%s/data", postgres->directory);
	const char *const command[] = {BINARIES "/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8", NULL};
	if (!(origin->primary == NULL ? runs_well(command, output) : copy_cluster(origin, data, output)))
		return false;
	if (origin->primary == NULL)
		configure(postgres,
			  "listen_addresses = ''\nshared_buffers = 32MB\nmax_connections = 40\nlog_min_messages = log\nautovacuum = off\n"
			  "max_wal_size = 2GB\n");
	configure(postgres, origin->settings);
	if (origin->certificates != NULL)
		take_certificates(postgres, origin->certificates);
	return true;
}

// Until the program that started it ends or says so: either is a SIGTERM.
static void keep(const struct postgres *postgres, const struct origin *origin, int output)
{
	char data[80];
	sigset_t awaited;
	int came = 0;
	setsid(); // what ends that program's group is not to end this one
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGTERM);
	sigprocmask(SIG_BLOCK, &awaited, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_NAME, "postgres-keeper");
	snprintf(data, sizeof data, "%s/data", postgres->directory);
	if (make_cluster(postgres, origin, output)) {
		const char *const command[] = {BINARIES "/postgres", "-D", data, NULL};
		pid_t server = launch(command, output);
		close(output); // who reads it sees the server's end
		while (sigwait(&awaited, &came) != 0)
			continue;
		// At once: nothing of it is needed any more.
		kill(server, SIGQUIT);
		waitpid(server, NULL, 0);
	}
	nftw(postgres->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	_exit(EXIT_SUCCESS);
}

// ------------------------------------------------------------------ starting and stopping

// What initdb and the server say goes into a pipe until the server is ready, and nowhere from then on.
static void await_ready(int output)
{
	char said[20000];
	size_t used = 0;
	uint64_t deadline = clock_monotonic_ms() + START_MS;
	for (;;) {
		struct pollfd ready = {.fd = output, .events = POLLIN};
		uint64_t now = clock_monotonic_ms();
		must(now < deadline && poll(&ready, 1, (int)(deadline - now)) == 1, "it did not start in time");
		ssize_t bytes = read(output, said + used, sizeof said - 1 - used);
		if (bytes <= 0)
			break;
		used += (size_t)bytes;
		said[used] = '\0';
		if (strstr(said, READY) != NULL)
			return;
	}
	said[used] = '\0';
	fprintf(stderr, "%s", said);
	must(false, "it did not start");
}

static void make_roles(const struct postgres *postgres)
{
	postgres_sql(postgres, "postgres", "postgres",
		     "CREATE ROLE cpis_owner NOLOGIN; CREATE ROLE cpis_broker NOLOGIN; CREATE ROLE cpis_auditor NOLOGIN;"
		     "CREATE ROLE migrator LOGIN IN ROLE cpis_owner;"
		     // Where a test has a second server that does not answer, these are not to wait for it.
		     "ALTER ROLE postgres SET synchronous_commit = local; ALTER ROLE migrator SET synchronous_commit = local;"
		     "CREATE ROLE broker1 LOGIN IN ROLE cpis_broker; CREATE ROLE broker2 LOGIN IN ROLE cpis_broker;"
		     "CREATE ROLE auditor LOGIN IN ROLE cpis_auditor");
	postgres_sql(postgres, "postgres", "postgres", "CREATE DATABASE template OWNER cpis_owner");
}

static void start(struct postgres *postgres, const struct origin *origin)
{
	int ends[2];
	snprintf(postgres->directory, sizeof postgres->directory, "/tmp/cpis-postgres-XXXXXX");
	must(mkdtemp(postgres->directory) != NULL, "a directory");
	if (geteuid() == 0) {
		const struct passwd *user = getpwnam("postgres");
		must(user != NULL && chown(postgres->directory, user->pw_uid, user->pw_gid) == 0, "there is no user postgres");
	}
	must(pipe(ends) == 0, "a pipe");
	postgres->keeper = fork();
	must(postgres->keeper >= 0, "fork");
	if (postgres->keeper == 0) {
		close(ends[0]);
		keep(postgres, origin, ends[1]);
	}
	close(ends[1]);
	await_ready(ends[0]);
	// Nobody reads on: what it logs from now on is lost, and SIGPIPE is ignored by its backends.
	close(ends[0]);
	if (origin->primary == NULL)
		make_roles(postgres);
}

void postgres_start(struct postgres *postgres, const char *settings)
{
	postgres->port = 5432; // of no socket but the directory's
	start(postgres, &(struct origin){.settings = settings});
}

void postgres_start_standby(struct postgres *standby, const struct postgres *primary, const char *name)
{
	standby->port = 5432;
	start(standby, &(struct origin){.primary = primary, .name = name});
}

// Below those that connections are given, which might take it until the server has.
static unsigned free_port(void)
{
	for (unsigned i = 0; i < 1000; i++) {
		unsigned port = 20000 + ((unsigned)getpid() + i) % 12000;
		struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		int any = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		must(any >= 0, "a socket");
		bool is_free = bind(any, (const struct sockaddr *)&address, sizeof address) == 0;
		close(any);
		if (is_free)
			return port;
	}
	must(false, "no port is free");
	return 0;
}

void postgres_start_tls(struct postgres *postgres, const char *certificates)
{
	char settings[300];
	postgres->port = free_port();
	snprintf(settings, sizeof settings,
		 "listen_addresses = '127.0.0.1'\nport = %u\nssl = on\nssl_min_protocol_version = 'TLSv1.3'\nssl_cert_file = 'server.pem'\n"
		 "ssl_key_file = 'server.key'\nssl_ca_file = 'ca.pem'\n", postgres->port);
	start(postgres, &(struct origin){.settings = settings, .certificates = certificates});
}

void postgres_stop(struct postgres *postgres)
{
	kill(postgres->keeper, SIGTERM);
	must(waitpid(postgres->keeper, NULL, 0) == postgres->keeper, "its keeper is gone");
	must(access(postgres->directory, F_OK) != 0, "its directory is still there");
	postgres->keeper = 0;
}

pid_t postgres_server(const struct postgres *postgres)
{
	return process_child(postgres->keeper);
}

void postgres_make_database(const struct postgres *postgres, const char *name)
{
	char sql[300];
	postgres_remove_database(postgres, name);
	snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE template OWNER cpis_owner", name);
	postgres_sql(postgres, "postgres", "postgres", sql);
	snprintf(sql, sizeof sql, "REVOKE ALL ON DATABASE %s FROM PUBLIC; GRANT CONNECT ON DATABASE %s TO cpis_broker, cpis_owner, cpis_auditor", name, name);
	postgres_sql(postgres, "postgres", "postgres", sql);
}

void postgres_remove_database(const struct postgres *postgres, const char *name)
{
	char sql[200];
	snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s WITH (FORCE)", name);
	postgres_sql(postgres, "postgres", "postgres", sql);
}

pid_t postgres_receiver(const struct postgres *postgres, const char *name)
{
	char to[80], conninfo[200];
	snprintf(to, sizeof to, "%s/received", postgres->directory);
	snprintf(conninfo, sizeof conninfo, "host=%s port=%u user=postgres application_name=%s", postgres->directory, postgres->port, name);
	must(mkdir(to, 0777) == 0 || errno == EEXIST, "a directory");
	must(chmod(to, 0777) == 0, "a directory");
	const char *const command[] = {BINARIES "/pg_receivewal", "-D", to, "-d", conninfo, "--synchronous", "--no-loop", NULL};
	return launch(command, STDERR_FILENO);
}

// ------------------------------------------------------------------ SQL

void postgres_conninfo(const struct postgres *postgres, const char *role, const char *database, char ret[POSTGRES_CONNINFO_BYTES])
{
	snprintf(ret, POSTGRES_CONNINFO_BYTES, "host=%s port=%u dbname=%s user=%s", postgres->directory, postgres->port, database, role);
}

static void ignore_notice(void *context, const PGresult *notice)
{
	(void)context, (void)notice;
}

// Returns the SQLSTATE, "" when it was done.
static const char *run(const struct postgres *postgres, const char *role, const char *database, const char *sql, char value[400],
		       char said[400])
{
	static char state[8];
	char conninfo[POSTGRES_CONNINFO_BYTES];
	postgres_conninfo(postgres, role, database, conninfo);
	PGconn *connection = PQconnectdb(conninfo);
	PQsetNoticeReceiver(connection, ignore_notice, NULL);
	PGresult *result = PQstatus(connection) == CONNECTION_OK ? PQexec(connection, sql) : NULL;
	ExecStatusType status = PQresultStatus(result);
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
	snprintf(state, sizeof state, "%s", good ? "" : code == NULL ? "08000" : code);
	snprintf(said, 400, "%s", PQerrorMessage(connection));
	value[0] = '\0';
	if (good && PQntuples(result) > 0)
		snprintf(value, 400, "%s", PQgetvalue(result, PQntuples(result) - 1, 0));
	PQclear(result);
	PQfinish(connection);
	return state;
}

const char *postgres_sql(const struct postgres *postgres, const char *role, const char *database, const char *sql)
{
	static char value[400];
	char said[400];
	if (run(postgres, role, database, sql, value, said)[0] != '\0') {
		fprintf(stderr, "postgres: %.200s: %s", sql, said);
		abort();
	}
	return value;
}

void postgres_until(const struct postgres *postgres, const char *database, const char *sql)
{
	uint64_t deadline = clock_monotonic_ms() + START_MS;
	while (strcmp(postgres_sql(postgres, "postgres", database, sql), "t") != 0)
		must(clock_monotonic_ms() < deadline, sql);
}

// A new session has a setting when the server has read it, and then it has told all others.
void postgres_configure(const struct postgres *postgres, const char *setting, const char *value)
{
	char sql[300];
	if (setting == NULL) {
		postgres_sql(postgres, "postgres", "postgres", "ALTER SYSTEM RESET ALL");
		postgres_sql(postgres, "postgres", "postgres", "SELECT pg_reload_conf()");
		return;
	}
	snprintf(sql, sizeof sql, "ALTER SYSTEM SET %s = '%s'", setting, value);
	postgres_sql(postgres, "postgres", "postgres", sql);
	postgres_sql(postgres, "postgres", "postgres", "SELECT pg_reload_conf()");
	snprintf(sql, sizeof sql, "SELECT current_setting('%s') = '%s'", setting, value);
	postgres_until(postgres, "postgres", sql);
}

_Bool postgres_forbids(const struct postgres *postgres, const char *role, const char *database, const char *sql)
{
	char value[400], said[400];
	const char *state = run(postgres, role, database, sql, value, said);
	if (strcmp(state, "42501") != 0)
		fprintf(stderr, "postgres: %.200s: %s %s", sql, state, said);
	return strcmp(state, "42501") == 0;
}
