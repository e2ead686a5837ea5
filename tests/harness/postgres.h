// A real PostgreSQL 15 for tests: a throw-away cluster in a directory of its own, on a Unix socket there and nowhere else, run as the
// user postgres when the test is root. A process of its own keeps it, and stops and removes it when the program that started it ends,
// however it ends. What cannot be done aborts.
//
// Start it once in a program, before the tests are forked. Everybody who may enter the directory (root, and the user it runs as) may
// connect as any role.
#ifndef CPIS_TESTS_HARNESS_POSTGRES_H
#define CPIS_TESTS_HARNESS_POSTGRES_H

#include <sys/types.h>

#define POSTGRES_CONNINFO_BYTES 200

struct postgres {
	char directory[40]; // the socket's too
	unsigned port;      // of its TLS, and in the socket's name
	pid_t keeper;
};

// `settings`: further lines for postgresql.conf, or NULL. Made in it: the roles cpis_owner, cpis_broker and cpis_auditor as broker/README.md
// has them, the login roles migrator of the first, broker1 and broker2 of the second and auditor of the third, and a database "template", which is empty.
void postgres_start(struct postgres *postgres, const char *settings);
// The same, and TLS on a free port of 127.0.0.1, under the certificate of this folder's server.pem, server.key and ca.pem: for those who
// come over it with a certificate of their role's name from the same authority, and for nobody else.
void postgres_start_tls(struct postgres *postgres, const char *certificates);
// A second server that follows a running one without TLS, as its streaming standby under this name (of synchronous_standby_names), with
// a directory and a keeper of its own. It can be read from. What it is told about roles and databases comes from the first. Stop it before that.
void postgres_start_standby(struct postgres *standby, const struct postgres *primary, const char *name);
void postgres_stop(struct postgres *postgres);
// The keeper's child: the server itself.
pid_t postgres_server(const struct postgres *postgres);

// A copy of "template", as broker/README.md has the store's database. An older one of the name is removed.
void postgres_make_database(const struct postgres *postgres, const char *name);
void postgres_remove_database(const struct postgres *postgres, const char *name); // whoever is connected to it

// A second server, as far as the first one can tell: pg_receivewal, which flushes what it receives and says so, under this name
// (of synchronous_standby_names). Ends with the process that started it; SIGSTOP makes it one that confirms nothing.
pid_t postgres_receiver(const struct postgres *postgres, const char *name);

// How to connect to it.
void postgres_conninfo(const struct postgres *postgres, const char *role, const char *database, char ret[POSTGRES_CONNINFO_BYTES]);
// Runs SQL as this role; aborts with what the server says unless it is done. The first column of the last row, "" when there is none;
// valid until the next call.
const char *postgres_sql(const struct postgres *postgres, const char *role, const char *database, const char *sql);
// Asks again until that is "t"; aborts when it is not within a minute.
void postgres_until(const struct postgres *postgres, const char *database, const char *sql);
// Sets it for all sessions, those that are there too; NULL: sets all back that was set so.
void postgres_configure(const struct postgres *postgres, const char *setting, const char *value);
// Runs SQL, and is true when the server refused it for want of a right or by one of the tables' triggers (SQLSTATE 42501).
_Bool postgres_forbids(const struct postgres *postgres, const char *role, const char *database, const char *sql);

#endif
