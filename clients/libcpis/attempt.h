// A call on its way: whose turn it is, signing and sending, what comes back, waiting. Internal to libcpis.
#ifndef CPIS_LIBCPIS_ATTEMPT_H
#define CPIS_LIBCPIS_ATTEMPT_H

#include "clients/libcpis/client_priv.h"
#include "clients/libcpis/rotation.h"

struct call {
	struct cpis_client *client;
	struct client_job job;
	struct arena arena;          // packed requests
	const char *signed_for;      // the broker whose name is in it
	struct rotation rotation;
	uint64_t end_ms;             // monotonic
	bool must_send;              // to the one whose turn it is
	bool ever_sent;
	bool has_more;               // than was looked at last time
};

// Signs for the first broker, then the time begins to count, and the first turn. Nothing is sent yet.
enum cpis_status attempt_begin(struct call *call, uint32_t deadline_ms);
// What can be done now. With `may_wait` until the call has an end; without it CPIS_PENDING when there is nothing more to do before one
// of libzmq's descriptors tells of something, the interrupt can be read, or attempt_due_ms has come. CPIS_OK: `ret` is a reply to
// this request, of which nothing has been proven yet.
enum cpis_status attempt_go_on(struct call *call, bool may_wait, struct client_reply **ret);
// When to go on in any case, monotonic: at once, when there was more to do than one of the caller's loops has time for.
uint64_t attempt_due_ms(const struct call *call);

#endif
