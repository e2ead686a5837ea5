// The network's front as the core sees it: a process of its own that holds the sockets, and nothing else of ours but the
// broker's CURVE keys and the list of who is let in. It is started by a keeper (front_keeper.h), and started again when it dies:
// libzmq aborts on some of what a peer can send, and what one process holds in memory for a peer cannot be taken back but by ending
// it. What it had in hand is lost then; clients connect again and ask again.
//
// What comes from it is believed in one thing only, by which connection's key a message came. One thread.
#ifndef CPIS_BROKER_FRONT_H
#define CPIS_BROKER_FRONT_H

#include "broker/admission.h"
#include "broker/attempts.h"
#include "broker/front_sockets.h"
#include "broker/intake.h"
#include "broker/listeners.h"
#include "broker/log.h"
#include "broker/sandbox.h"

#define FRONT_DETAIL_BYTES 400
// How long a front may take to be ready, and to answer.
#define FRONT_START_MS 15000u
#define FRONT_SILENCE_MS 5000u
// How long it is waited before a front that died young is started again: doubled each time, up to the second one.
#define FRONT_AGAIN_MS 10u
#define FRONT_AGAIN_MS_LONGEST 5000u

struct front;

// What may be taken up by those who connect.
struct front_limits {
	struct zap_limits zap;
	struct intake_limits intake;
	uint64_t memory_bytes_max;               // what the front may have allocated
};

struct front_options {
	int keeper;                              // of front_keeper_start; the front's from here on
	const char *endpoints[LISTENERS];        // borrowed, as are all others; NULL: there is none
	const struct curve_key_pair *keys[LISTENERS];
	const char *files[LISTENERS];            // the endpoint really bound is written here; NULL: it is not
	struct admission *admission;             // the front takes its own reference
	struct attempts *attempts;               // where failed handshakes and refused requests are counted
	struct front_limits limits;
	struct front_sockets sockets;            // that listen already; the front's from here on
	unsigned batch_max;                      // requests that the core takes at once; twice as many are given to it ahead
	enum log_format log_format;              // of the front's lines
	enum sandbox_mode sandbox;               // the front has a sandbox of its own
};

// Starts it and waits until it serves. False with a sentence when it cannot.
__attribute__((warn_unused_result)) bool front_open(const struct front_options *options, struct front **ret,
						     char detail[FRONT_DETAIL_BYTES]);
// front_stop, if that was not called; removes the files, ends the keeper.
// Accepts NULL.
void front_close(struct front *front);
// From now on it refuses whatever comes, as the broker that stops, and says when to ask again. What it has sent before is still to be received: all of it has been
// when front_is_paused.
void front_pause(struct front *front, uint32_t retry_after_ms);
bool front_is_paused(const struct front *front); // or gone
// Waits for its end, at most some seconds: what it counted until then is in the attempts and the counters.
void front_stop(struct front *front);
// After front_stop: serves again, on the same sockets, and writes the files again. False with a sentence.
__attribute__((warn_unused_result)) bool front_start_again(struct front *front, char detail[FRONT_DETAIL_BYTES]);
// The sockets that it listens on; borrowed.
const struct front_sockets *front_sockets(const struct front *front);
// Another broker serves in its place: front_close leaves the files to that one.
void front_leave(struct front *front);
// The endpoint really bound; NULL when there is no such listener.
const char *front_endpoint(const struct front *front, enum listener which);

// Where a reply goes. Its first bytes are what the link has of it.
struct front_peer {
	uint8_t from;                            // enum listener
	uint8_t routing_id_bytes;
	uint8_t routing_id[255];
};
struct front_request {
	struct front_peer peer;
	bool has_key;
	uint8_t channel_key[KEY_BYTES];          // of the connection, when it is known
	uint64_t waited_ms;                      // in the front
	const uint8_t *data;                     // borrowed until the next front_wait
	size_t bytes;
};

// Waits until the front has sent something, `wake_fd` is readable, or `timeout_ms` is over, and takes in what is there.
void front_wait(struct front *front, int wake_fd, int timeout_ms);
// The next request. False: none is there.
__attribute__((warn_unused_result)) bool front_receive(struct front *front, struct front_request *ret);
// A reply. It goes with the next front_flush; never blocks. To whom is gone it goes nowhere.
void front_send(struct front *front, const struct front_peer *peer, const uint8_t *data, size_t bytes);
// Replies go, and as many requests may come as have been received since.
void front_flush(struct front *front);

// Returns when handshakes are judged by it, or after half a second without that.
void front_set_admission(struct front *front, struct admission *admission);
// From now on these hold, for whoever connects or asks from then on. The enrolment endpoint's stay what they were.
void front_set_limits(struct front *front, const struct front_limits *limits);
// Looks whether it is alive, and starts it again when it is not. `now_ms` is monotonic.
void front_tend(struct front *front, uint64_t now_ms);
// Whether it cannot be started again, because its keeper is gone: the broker can only end.
bool front_is_lost(const struct front *front);

struct front_counters {
	struct zap_counters zap;
	uint64_t refused_busy;
};
// As far as it has told; of all fronts since the start.
struct front_counters front_read_counters(const struct front *front);
unsigned front_restarts(const struct front *front);

#endif
