// What the frames between core and front hold (front_link.h), as it stands in memory: both ends are the same program on one
// machine. Shared by front.c and front_process.c.
#ifndef CPIS_BROKER_FRONT_FRAMES_PRIV_H
#define CPIS_BROKER_FRONT_FRAMES_PRIV_H

#include "broker/front.h"
#include "broker/front_link.h"

struct front_setup {
	char endpoints[LISTENERS][TRANSPORT_ENDPOINT_BYTES]; // "": there is none
	struct curve_key_pair keys[LISTENERS];
	struct zap_limits limits;
	struct intake_limits intake;
	enum sandbox_mode sandbox;
	uint64_t memory_bytes_max;
};
struct front_ready {
	char endpoints[LISTENERS][TRANSPORT_ENDPOINT_BYTES]; // as bound
};
// Before the routing id and the message.
struct front_request_head {
	uint32_t waited_ms;
	uint8_t from;
	uint8_t has_key;
	uint8_t routing_id_bytes;
	uint8_t key[KEY_BYTES];
};
// Before the message, after which listener and how long the routing id is: struct front_peer as far as it is used.
#define FRONT_PEER_HEAD_BYTES 2u
// Requests of one system that were told to come later, since it was last said.
struct front_busy {
	uint8_t key[KEY_BYTES];
	uint64_t count;
};

#endif
