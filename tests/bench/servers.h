// Servers under load as processes: those of the bench itself, and what any of them costs.
#ifndef CPIS_TESTS_BENCH_SERVERS_H
#define CPIS_TESTS_BENCH_SERVERS_H

#include <stddef.h>
#include <sys/types.h>

#include "certs/key.h"

// A libzmq ROUTER with CURVE in a process of its own that answers each message with so many bytes and does nothing else: what any
// broker over libzmq costs at least. It dies with its parent.
pid_t servers_start_echo(const struct curve_key_pair *key, size_t reply_bytes, char endpoint[64]);
// What answers behind the NATS peer, in a process of its own.
pid_t servers_start_nats_responder(const void *target);
void servers_stop(pid_t server);

// Processor time, in microseconds, of a process and all that descend from it, also of those that have ended and were waited for.
double servers_cpu_us(pid_t server);
// Resident memory in kB, of one process, and of it with all that descend from it (what they share counts for each).
long servers_process_kb(pid_t process);
long servers_resident_kb(pid_t server);

#endif
