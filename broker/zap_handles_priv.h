// The handles that ZAP gave out and the keys behind them, within limits. Not thread-safe: zap.c's lock guards
// it.
#ifndef CPIS_BROKER_ZAP_HANDLES_PRIV_H
#define CPIS_BROKER_ZAP_HANDLES_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/zap.h"

struct zap_handle;
struct zap_handle_owner;

struct zap_handles {
	struct zap_limits limits; // set by the caller; all else starts zeroed
	struct zap_handle *all; // by text
	struct zap_handle *by_use; // the one unused for longest first
	struct zap_handle_owner *owners; // the keys that have any
};

// A new random handle for this key; where a limit is reached the one goes that was unused for longest. False when there is no memory.
__attribute__((warn_unused_result)) bool zap_handles_mint(struct zap_handles *handles,
							  const uint8_t key[KEY_BYTES],
							  char ret_handle[ZAP_HANDLE_BYTES]);
__attribute__((warn_unused_result)) bool zap_handles_find(struct zap_handles *handles,
							  const char *handle, uint8_t ret_key[KEY_BYTES]);
unsigned zap_handles_count(const struct zap_handles *handles);
void zap_handles_drop_key(struct zap_handles *handles, const uint8_t key[KEY_BYTES]);
void zap_handles_drop_all(struct zap_handles *handles);

#endif
