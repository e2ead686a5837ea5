// The scan along a message descriptor that comes before protobuf-c. Shared inside proto/ only.
#ifndef CPIS_PROTO_WIRE_SCAN_PRIV_H
#define CPIS_PROTO_WIRE_SCAN_PRIV_H

#include "proto/wire.h"

// Refuses everything that wire.h lists. WIRE_OK means: protobuf-c's decode of these bytes is linear, takes bounded
// memory, and packing the result gives the same bytes. `error->field` is written on failure. `values` as of wire_pick, NULL: not wanted.
// `may_be_newer`: as wire_unpack_newer.
enum wire_status wire_scan(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t bytes_count, bool may_be_newer,
			   struct wire_value *values, size_t values_count, struct wire_error *error);

#endif
