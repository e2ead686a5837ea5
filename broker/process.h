// The parts of one running broker, started in the order that fails closed and ended in the reverse. Between main.c, process.c
// and serve.c; everything else is given what it needs.
#ifndef CPIS_BROKER_PROCESS_H
#define CPIS_BROKER_PROCESS_H

#include "broker/attempts.h"
#include "broker/config.h"
#include "broker/core.h"
#include "broker/front.h"
#include "broker/front_keeper.h"
#include "broker/metrics_address.h"
#include "broker/parked.h"
#include "broker/sandbox.h"
#include "broker/service_manager.h"
#include "certs/cosignature.h"

#define PROCESS_DETAIL_BYTES 512

struct metrics;
struct metrics_board;

struct broker {
	const char *config_path;         // borrowed
	struct config *config;
	struct policy *policy;
	struct register_paths paths;
	struct register_snapshot *snapshot;
	uint64_t fingerprint;
	uint64_t checked_ms, loaded_ms;  // monotonic
	struct curve_key_pair key;
	uint64_t certificate_until_ms;   // how long the certificate of that key is good
	struct curve_key_pair next_key;  // zeroed when there is none
	struct signing_key *log_key;
	struct note_verifier log_verifier;
	struct witness_policy witnesses;
	struct vault *vault;
	struct vault *session_keys[2];   // current and previous, where the configuration names them
	struct store *store;
	struct core *core;
	int keeper;                      // of the front, until it has it; -1
	struct attempts *attempts;       // handshakes that failed, and who was told to come later: not recorded yet
	struct front *front;
	unsigned front_restarts;         // as of when it was last looked at
	struct front_peer *peers;        // of the batch under way
	uint64_t *arrived_us;            // likewise, monotonic; 0: it waited for something, so that its answer tells nothing of how fast it was
	struct parked *parked;           // requests that wait
	uint64_t ticked_ms;              // monotonic: when what is due by time was last looked at
	bool more_due;                   // and more of it was
	uint64_t looked_ms;              // monotonic: when it was last looked at what the front has sent
	uint64_t since_ms;               // what is received now has been waiting since then at the longest
	uint64_t looked_us, since_us;    // likewise, for latencies
	int signals;
	int wake;                        // signals and whoever asks to take over; -1: nobody can
	int handover;                    // where they ask (handover.h); -1
	bool is_found;                   // by them
	bool takes_over;                 // from the broker that runs, if one does
	int taking, giving;              // the connection to that one, and to the one that takes over from this; -1
	pid_t giving_to;
	struct metrics_board *board;     // NULL: there is no metrics_endpoint
	struct metrics *picture;         // the last one that was put there
	int metrics_fds[METRICS_DESCRIPTORS]; // socket and board, until the keeper has them; -1
	char metrics_bound[METRICS_ADDRESS_BYTES];
	bool metrics_told;               // metrics_endpoint_file is ours
	uint64_t pictured_ms;            // monotonic
	bool draining;
	struct service_manager manager;  // who started it, where that one wants to be told
};

// Nothing is open yet; process_close may follow.
#define PROCESS_NEW                                                                                                \
	{.signals = -1, .keeper = -1, .wake = -1, .handover = -1, .taking = -1, .giving = -1, .manager = SERVICE_MANAGER_NONE, \
	 .metrics_fds = {-1, -1}}

// Keys are in memory from here on: no core dump and no debugger. Before everything else.
void process_harden(void);
// Finds the service manager, splits the front's keeper off (front_keeper.h), and makes termination a file to read from. Before any
// thread is made and any key is read.
__attribute__((warn_unused_result)) bool process_split(struct broker *broker, char detail[PROCESS_DETAIL_BYTES]);
// Reads and checks all files that the configuration names. False with a sentence.
__attribute__((warn_unused_result)) bool process_load(struct broker *broker, const char *config_path,
						       char detail[PROCESS_DETAIL_BYTES]);
// The same without the keys that brokers share: for one that does not have them yet.
__attribute__((warn_unused_result)) bool process_load_own(struct broker *broker, const char *config_path,
							   char detail[PROCESS_DETAIL_BYTES]);
// The store with its keys, and the core on it: all that is needed to know whether they fit. False with a sentence.
__attribute__((warn_unused_result)) bool process_open_store(struct broker *broker, char detail[PROCESS_DETAIL_BYTES]);
// The same, then the network; limited to what these need on the way (process_sandbox.c). False with a sentence; process_close in any case.
__attribute__((warn_unused_result)) bool process_open(struct broker *broker, char detail[PROCESS_DETAIL_BYTES]);
void process_close(struct broker *broker);
// For handing over, when the front has stopped: the core and the store. And back again, with the front. False with a sentence; `store` says
// how far it got.
void process_close_store(struct broker *broker);
__attribute__((warn_unused_result)) bool process_take_back(struct broker *broker, char detail[PROCESS_DETAIL_BYTES]);

// process_sandbox.c. As whom it runs and which files it reaches: when all keys are read, before the first thread. Then, when
// everything is open, which system calls it makes. False with a sentence.
__attribute__((warn_unused_result)) bool process_confine_files(const struct broker *broker, char detail[PROCESS_DETAIL_BYTES]);
__attribute__((warn_unused_result)) bool process_confine_calls(const struct broker *broker, char detail[PROCESS_DETAIL_BYTES]);

// Of what SIGHUP reads again (reload.c). Certificates and witnesses as at the start, nothing is kept. False with a sentence.
__attribute__((warn_unused_result)) bool process_read_certificate(const struct broker *broker, const struct register_snapshot *snapshot,
								   const char *path, struct broker_identity *ret,
								   char detail[PROCESS_DETAIL_BYTES]);
__attribute__((warn_unused_result)) bool process_read_witnesses(const struct config *config, struct witness_policy *ret,
								 char detail[PROCESS_DETAIL_BYTES]);
// The front goes by what the configuration says now of connections, waiting and memory.
void process_set_front_limits(struct broker *broker);
// process_metrics.c. The socket and the memory, before the process may make none any more; then who serves them. False with a sentence.
__attribute__((warn_unused_result)) bool process_open_metrics(struct broker *broker, char detail[PROCESS_DETAIL_BYTES]);
__attribute__((warn_unused_result)) bool process_start_metrics(struct broker *broker, char detail[PROCESS_DETAIL_BYTES]);
// Writes metrics_endpoint_file, if there is to be one. False with a sentence.
__attribute__((warn_unused_result)) bool process_tell_metrics(struct broker *broker, char detail[PROCESS_DETAIL_BYTES]);
// A sign of life, and each second a picture. Between batches.
void process_show_metrics(struct broker *broker, uint64_t monotonic_ms, uint64_t now_ms);
void process_close_metrics(struct broker *broker);

// Reads the register's files again by the policy in force.
__attribute__((warn_unused_result)) bool process_read_register(struct broker *broker, const struct policy *policy,
								struct register_snapshot **ret,
								char detail[REGISTER_DETAIL_BYTES]);
// After whatever may have changed the core's register: admission follows it.
void process_adopt_register(struct broker *broker);

// serve.c: answers until told to stop, then drains. False: it could not go on.
__attribute__((warn_unused_result)) bool serve(struct broker *broker);

#endif
