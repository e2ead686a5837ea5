// What the process may still do, once it has what it needs: which files (Landlock), which system calls (seccomp). Linux only.
// A hole in a library then gives whoever comes through it the broker's memory, and not the machine.
//
// Two steps, as Landlock counts for a thread and those it makes, and seccomp can be laid on all at once:
//	sandbox_limit_files   before the first thread
//	sandbox_limit_calls   when everything is open, for all threads
// Neither can be taken back. In a build with a sanitizer (CPIS_SANITIZED) neither does anything, and says so: sanitizers read
// /proc, trace their own process and start a symbolizer.
//
// An outcome is a sentence for the operator's log. With SANDBOX_BEST_EFFORT what the kernel cannot do is told and does without;
// with SANDBOX_REQUIRED it is a failure.
#ifndef CPIS_BROKER_SANDBOX_H
#define CPIS_BROKER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/limits.h"

#define SANDBOX_DETAIL_BYTES 512

enum sandbox_mode { SANDBOX_BEST_EFFORT, SANDBOX_REQUIRED, SANDBOX_OFF };

enum sandbox_profile {
	// The store, the keys, the register: files below `paths`, threads, and the network as `network` says.
	SANDBOX_CORE,
	// The network edge by itself: sockets, threads, memory, clock, randomness and the descriptors that it has. No file
	// system at all.
	SANDBOX_FRONT,
};

enum sandbox_network {
	SANDBOX_NO_NETWORK,  // descriptors it has are read and written, nothing else; the core makes pairs for another front
	SANDBOX_ACCEPTS,     // on sockets it has
	SANDBOX_LISTENS,     // makes new ones and binds them: the enrolment endpoint is opened anew
};

struct sandbox_path {
	const char *path; // a directory, with all below it. Borrowed for the call
	bool writes;      // files are made, changed and removed in it; else they are read
};

struct sandbox_options {
	enum sandbox_mode mode;
	enum sandbox_profile profile;
	enum sandbox_network network;
	struct sandbox_path paths[SANDBOX_PATHS_MAX]; // SANDBOX_CORE's
	size_t path_count;
	uint16_t ports[SANDBOX_PORTS_MAX]; // TCP ports that may be bound, where the kernel holds to it; 0 is a free one
	size_t port_count;
	bool any_port;                     // all of them
	bool connects;                     // may connect by TCP until sandbox_limit_calls, after which nobody does but for `database`
	// May connect for good: by TCP to these ports where the kernel holds to it.
	bool database;
	bool database_is_local;            // and to Unix sockets, of whatever service
	bool database_by_name;             // and send datagrams to anywhere, as name servers are asked
	uint16_t database_ports[DATABASE_HOSTS_MAX];
	size_t database_port_count;
};

enum sandbox_outcome {
	SANDBOX_DONE,    // `detail` says what holds
	SANDBOX_WITHOUT, // `detail` says what does not, and why
	SANDBOX_FAILED,  // the process must end; `detail` says why
};

// Sets PR_SET_NO_NEW_PRIVS.
__attribute__((warn_unused_result)) enum sandbox_outcome sandbox_limit_files(const struct sandbox_options *options,
									      char detail[SANDBOX_DETAIL_BYTES]);
__attribute__((warn_unused_result)) enum sandbox_outcome sandbox_limit_calls(const struct sandbox_options *options,
									      char detail[SANDBOX_DETAIL_BYTES]);

// Logs the outcome: "WHAT limited by DETAIL". False: the process must end.
__attribute__((warn_unused_result)) bool sandbox_told(enum sandbox_outcome outcome, const char *what, const char *detail);

#endif
