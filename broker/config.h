// The broker's configuration: one YAML file, unknown keys refused with file and line. Relative paths are
// relative to the file's own directory.
#ifndef CPIS_BROKER_CONFIG_H
#define CPIS_BROKER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/log.h"
#include "broker/sandbox.h"

#define CONFIG_DETAIL_BYTES 400

// Owned by config_load, freed by config_free. Paths are absolute or relative to the working directory.
struct config {
	char *broker_name;           // as in the broker's certificate
	char *endpoint;              // tcp://host:port; port * picks one
	char *endpoint_file;         // optional: the endpoint really bound is written here
	char *enrolment_endpoint;    // optional: where new systems enrol
	char *enrolment_endpoint_file;
	char *next_endpoint;         // optional, with the two below: served with the broker's next key as well
	char *next_endpoint_file;
	char *next_certificate;
	char *next_key;
	char *certificate;           // broker.pem
	char *key;                   // broker.key
	char *log_key;               // Ed25519 key of the audit log
	char *trust_directory;
	char *enrolled_directory;
	char *register_file;
	char *identity_directory;    // optional: identity providers whose tokens open sessions (broker/identity_providers.h)
	char *policy_file;
	char *store_file;            // SQLite database; NULL: store_postgres is given
	char *store_postgres;        // connection string of a PostgreSQL (broker/store_postgres.h); NULL: store_file is given
	bool store_lone_server;      // that PostgreSQL has no second server that a commit waits for
	char *handover_socket;       // where a broker that takes over asks this one; STORE_FILE.handover where nothing else is said; NULL: nowhere
	char *store_key;             // master key (broker/vault.h)
	char *session_key;           // optional: seals session tokens in place of store_key; the same at brokers that
	                             // share sessions
	char *session_key_previous;  // optional: opens tokens that were sealed before session_key was changed
	char *metrics_endpoint;      // optional: loopback address:port where metrics and health are served; port * picks one
	char *metrics_endpoint_file; // optional: the address:port really bound
	enum log_format log_format;  // of standard error; text, the default, or json
	bool drill;                  // what happens here is rehearsed: metrics say so
	char *user;                  // optional: whom the process becomes, started as root
	enum sandbox_mode sandbox;
	unsigned connections_max;    // live connections; default 4096
	unsigned connections_per_system_max; // default 1024
	unsigned batch_max;          // requests per commit; default 256
	unsigned waiting_max;        // requests that may wait for the core; default 8192
	unsigned waiting_per_system_max; // of one system; default 1024
	unsigned busy_after_ms;      // who would have to wait longer is told to come later; default 12
	unsigned front_memory_mb;    // what the network's front may take up; default 512
	unsigned witness_required_s; // how old the witnessed checkpoint may be for anything to be answered; 0, the default: any age
};

__attribute__((warn_unused_result)) bool config_load(const char *path, struct config **ret, char detail[CONFIG_DETAIL_BYTES]);
void config_free(struct config *config); // accepts NULL
// Each file and directory that it names, that somebody has to bring, and that is not there: "key: path: why".
void config_missing(const struct config *config, void (*each)(void *context, const char *sentence), void *context);
// False with a sentence when the store is no file: `what` is done with a SQLite store only.
__attribute__((warn_unused_result)) bool config_has_store_file(const struct config *config, const char *what,
								char detail[CONFIG_DETAIL_BYTES]);

#endif
