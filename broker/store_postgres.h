// PostgreSQL backend of broker/store.h, over libpq: several brokers before one database and one audit log, which take turns, a batch each.
// What it does otherwise than SQLite, and why, is in broker/README.md, "The PostgreSQL store".
//
// A commit is STORE_OK only when COMMIT was done without any warning before the deadline, and the server's settings made it wait for
// the disk, and for a second server unless a lone one is meant; asked before and after it. In every other case it is STORE_FAILED, and
// then the batch may have been committed or not: nobody may be answered for it. The store drops the connection and never cancels.
// The next begin, or the next read, connects anew, to the next host; that ends with a turn of its own, a committed write which
// waits until whatever the old connection left has ended and until it, and all that the log has by then, is on the second
// server. So what is read afterwards is what became of the batch, and is no guess: the caller reads the log's size again, as after any
// failed commit.
//
// Whoever stops in the middle of a batch has its turn taken away by the server after some 3 s (POSTGRES_SESSION_OPTIONS); its batch fails.
//
// Blocks for as long as `timeout_ms` for each wait, and `connect_timeout_ms` for each host while it connects.
#ifndef CPIS_BROKER_STORE_POSTGRES_H
#define CPIS_BROKER_STORE_POSTGRES_H

#include "broker/store.h"

// The schema's versions that this program works with.
#define STORE_POSTGRES_SCHEMA_LEAST 2
#define STORE_POSTGRES_SCHEMA_GREATEST 2

struct store_postgres_options {
	// libpq's connection string, or URI. Names its hosts, which are tried in turn for one that can be written to. Unless all of them are
	// Unix sockets or loopback addresses it must say sslmode=verify-full, and is to name sslrootcert, sslcert and sslkey.
	const char *conninfo;
	bool lone_server;            // else synchronous_standby_names may not be empty
	uint32_t timeout_ms;         // 0: 5,000
	uint32_t connect_timeout_ms; // 0: 2,000
};

// Never makes or changes tables: store_postgres_migrate does. Refused: a connection string that is not as above, a schema of another
// version, a role that could change or remove audit rows, a server that would lose a commit.
__attribute__((warn_unused_result)) enum store_status store_postgres_open(const struct store_postgres_options *options, struct store **ret,
									   char detail[STORE_DETAIL_BYTES]);

// Brings the tables to the newest version that this program knows, as a role that is a member of cpis_owner; each step is one
// transaction, and two of these at once are harmless. A newer schema is refused. Blocks.
__attribute__((warn_unused_result)) enum store_status store_postgres_migrate(const char *conninfo, char detail[STORE_DETAIL_BYTES]);

// What connecting again takes, for the sandbox of who does it: the files that the connection string names, copied, and the TCP ports.
#define STORE_POSTGRES_PATH_BYTES 1024
struct store_postgres_reach {
	char files[DATABASE_FILES_MAX][STORE_POSTGRES_PATH_BYTES];
	size_t file_count;
	uint16_t ports[DATABASE_HOSTS_MAX];
	size_t port_count;
	bool is_local;               // a host is a Unix socket
	bool by_name;                // a host is a name without an address
};
// STORE_FAILED as store_postgres_open would be for the connection string alone.
__attribute__((warn_unused_result)) enum store_status store_postgres_reach(const char *conninfo, struct store_postgres_reach *ret,
									    char detail[STORE_DETAIL_BYTES]);

#endif
