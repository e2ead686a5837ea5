// Who is let in at the handshake: the keys of enrolled systems and how each stands. What the network's front has to know of
// the register, and nothing else of it. An immutable list, counted by reference; any thread may read one that it holds.
#ifndef CPIS_BROKER_ADMISSION_H
#define CPIS_BROKER_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/register.h"

struct admission;

// NULL when there is no memory.
struct admission *admission_of_register(const struct register_snapshot *snapshot);
// One of bytes that admission_bytes wrote. NULL when they are none, or there is no memory.
struct admission *admission_of_bytes(const uint8_t *data, size_t bytes);
// The list as bytes, for a process of the same program on the same machine. Borrowed.
const uint8_t *admission_bytes(const struct admission *admission, size_t *ret_bytes);

struct admission *admission_retain(struct admission *admission);
void admission_release(struct admission *admission); // accepts NULL

// False: no enrolled system has this key. True: how it stands at `now_ms`, as register_system_status. Keys are public: no constant
// time.
__attribute__((warn_unused_result)) bool admission_find(const struct admission *admission, const uint8_t key[KEY_BYTES],
							 uint64_t now_ms, enum certs_status *ret);

#endif
