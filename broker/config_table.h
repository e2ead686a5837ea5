// Every key of the broker's configuration, in one table: the schema that reads the file, the checks, `--describe settings`,
// manual and README come from it. Inside broker/config.c and broker/describe.c only.
#ifndef CPIS_BROKER_CONFIG_TABLE_H
#define CPIS_BROKER_CONFIG_TABLE_H

#include "broker/limits.h"

#define FRONT_MEMORY_MB_MIN 64u // less is used up by a few hundred honest connections

// WORD(key, member of struct config_text, needed, most bytes, default as people read it, meaning)
// PATH(key, needed, default, meaning)      a file or directory; relative ones start at the configuration's directory
// MADE(key, needed, default, meaning)      the same, which the broker makes
// SECRET(key, needed, default, meaning)    a file with a key in it; or credential:NAME
// NUMBER(key, least, most, default, cap, unit, meaning)   `cap`: the key whose value it may not exceed, and which a greater default
//                                          gives way to; "" when there is none
#define CONFIG_TABLE(WORD, PATH, MADE, SECRET, NUMBER)                                                                               \
	WORD(broker_name, config.broker_name, NEEDED, IDENTITY_NAME_BYTES_MAX, "required",                                           \
	     "as in the broker's certificate, at most 64 bytes")                                                                     \
	WORD(endpoint, config.endpoint, NEEDED, 255, "required", "`tcp://host:port`; port `*` picks a free one")                     \
	MADE(endpoint_file, OPTIONAL, "none", "the endpoint really bound is written here")                                           \
	WORD(enrolment_endpoint, config.enrolment_endpoint, OPTIONAL, 255, "none", "where new systems enrol")                        \
	MADE(enrolment_endpoint_file, OPTIONAL, "none", "the endpoint really bound")                                                 \
	WORD(next_endpoint, config.next_endpoint, OPTIONAL, 255, "none",                                                             \
	     "the next key's endpoint; with `next_certificate` and `next_key`, all three or none")                                   \
	PATH(next_certificate, OPTIONAL, "none", "the next key's certificate")                                                       \
	SECRET(next_key, OPTIONAL, "none", "the next key")                                                                           \
	MADE(next_endpoint_file, OPTIONAL, "none", "the endpoint really bound")                                                      \
	PATH(certificate, NEEDED, "required", "the broker's certificate (PEM)")                                                      \
	SECRET(key, NEEDED, "required", "its X25519 key (PKCS#8 PEM, mode 0600)")                                                    \
	SECRET(log_key, NEEDED, "required", "Ed25519 key that signs the audit log's checkpoints")                                    \
	PATH(trust_directory, NEEDED, "required", "trust bundle: authorities, revocation lists, `log.vkey`")                         \
	PATH(enrolled_directory, NEEDED, "required", "`*.pem`, one certificate for each enrolled system")                            \
	PATH(register_file, NEEDED, "required", "organisations and role profiles, see below")                                        \
	PATH(identity_directory, OPTIONAL, "none", "identity providers, see above")                                                  \
	PATH(policy_file, NEEDED, "required", "what a role may do, see below")                                                       \
	MADE(store_file, OPTIONAL, "this or the next", "SQLite database")                                                            \
	WORD(store_postgres, config.store_postgres, OPTIONAL, CONFIG_CONNINFO_BYTES_MAX, "",                                         \
	     "libpq's connection string of a PostgreSQL, at most 2,000 bytes; make its tables with `cpis-broker --migrate` "         \
	     "(\"The PostgreSQL store\")")                                                                                           \
	WORD(store_lone_server, store_lone_server, OPTIONAL, 8, "`no`",                                                              \
	     "`yes`: that PostgreSQL has no second server. With `no` the broker does not start, and answers nobody, where a commit " \
	     "would not wait for one")                                                                                               \
	MADE(handover_socket, OPTIONAL, "`STORE_FILE.handover`",                                                                     \
	     "where `cpis-broker --take-over` asks this broker (\"Changing without stopping\"); with `store_postgres` none unless given") \
	SECRET(store_key, NEEDED, "required", "master key of the store, made by `cpis-broker --make-store-key FILE`")                \
	SECRET(session_key, OPTIONAL, "`store_key`",                                                                                 \
	       "seals session tokens: brokers with the same one open each other's. The statement that opens a session names one "    \
	       "broker, the token none")                                                                                             \
	SECRET(session_key_previous, OPTIONAL, "none",                                                                               \
	       "opens tokens sealed before `session_key` was changed; take it away after 12 hours")                                  \
	NUMBER(connections_max, 1, CONNECTIONS_MAX, 4096, "", "", "live connections")                                                \
	NUMBER(connections_per_system_max, 1, CONNECTIONS_MAX, 1024, "connections_max", "", "of one system")                         \
	NUMBER(batch_max, 1, BATCH_MAX, 256, "", "", "requests per commit")                                                          \
	NUMBER(busy_after_ms, 1, BUSY_AFTER_MS_MAX, 12, "", "ms",                                                                    \
	       "who would have to wait longer in the front is told `busy` (\"Too much\")")                                           \
	NUMBER(waiting_max, 1, WAITING_MAX, 8192, "", "", "requests that may wait in the front")                                     \
	NUMBER(waiting_per_system_max, 1, WAITING_MAX, 1024, "waiting_max", "", "of one system")                                     \
	NUMBER(front_memory_mb, FRONT_MEMORY_MB_MIN, FRONT_MEMORY_MB_MAX, 512, "", "MiB",                                            \
	       "what the front may allocate; some 45 kB for each connection, and what they leave unread")                            \
	WORD(user, config.user, OPTIONAL, CONFIG_USER_BYTES_MAX, "none",                                                             \
	     "whom the broker becomes when root starts it: see \"Sandbox\"")                                                         \
	WORD(sandbox, sandbox, OPTIONAL, 16, "`best-effort`",                                                                        \
	     "`required`: it does not start where the kernel cannot limit it; `best-effort`: it says so (`not_sandboxed`); `off`")   \
	WORD(metrics_endpoint, config.metrics_endpoint, OPTIONAL, 64, "none",                                                        \
	     "loopback address and port, as in `127.0.0.1:9420`, where metrics and health are served (\"Watching\"); port `*` picks a free one") \
	MADE(metrics_endpoint_file, OPTIONAL, "none", "the address and port really bound")                                            \
	WORD(log_format, log_format, OPTIONAL, 8, "`text`",                                                                          \
	     "`json`: the operator's log as one JSON object a line. Of no matter where standard error is the journal's")              \
	WORD(drill, drill, OPTIONAL, 8, "`no`", "`yes`: metrics say that what happens here is rehearsed")                             \
	NUMBER(witness_required_s, 1, WITNESS_REQUIRED_S_MAX, 0, "", "s",                                                            \
	       "the witnessed checkpoint may be no older, or nothing is answered; needs `log.policy`. Read its price (\"Witnesses\")")

#endif
