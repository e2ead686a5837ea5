// What the frames between core and front hold (front_link.h), as it stands in memory: both ends are the same program on one
// machine. Shared by front.c and front_process.c; front_frames.c reads what the front says.
#ifndef CPIS_BROKER_FRONT_FRAMES_PRIV_H
#define CPIS_BROKER_FRONT_FRAMES_PRIV_H

#include "broker/front.h"
#include "broker/front_link.h"

struct front_setup {
	char endpoints[LISTENERS][TRANSPORT_ENDPOINT_BYTES]; // "": there is none
	struct curve_key_pair keys[LISTENERS];
	struct front_limits limits;
	enum sandbox_mode sandbox;
	enum log_format log_format;
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

// What the core makes of the front's frames, which it does not believe: false when one is not what it should be. `ret_request` points
// into the frame.
__attribute__((warn_unused_result)) bool front_frame_ready(const struct front_frame *frame, struct front_ready *ret);
__attribute__((warn_unused_result)) bool front_frame_request(const struct front_frame *frame, struct front_request *ret_request);
__attribute__((warn_unused_result)) bool front_frame_attempt(const struct front_frame *frame, struct attempt *ret);
__attribute__((warn_unused_result)) bool front_frame_busy(const struct front_frame *frame, struct front_busy *ret);
__attribute__((warn_unused_result)) bool front_frame_counters(const struct front_frame *frame, struct front_counters *ret);

#endif
