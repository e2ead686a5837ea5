// One call of a caller's: who is calling, what they call it, the broker, and ways to answer. On a worker's thread. Nothing of a call is
// logged but that the broker could not be reached, and why.
#ifndef CPIS_FHIR_CALL_H
#define CPIS_FHIR_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "clients/fhir/bearers.h"
#include "clients/fhir/configuration.h"
#include "clients/http/visit.h"
#include "clients/libcpis/cpis.h"

#define CALL_MS 8000u // how long the broker is waited for

// Header fields that are read; the rest is ignored.
extern const char *const call_headers[];

// What all calls share.
struct facade {
	const struct configuration *configuration;
	const char *base;            // https://host[:port]
	struct cpis_client **clients; // one for each worker
	struct bearers *bearers;
	atomic_bool forked;          // the audit log was found to be two: nothing is answered any more
};

struct call {
	struct facade *facade;
	struct visit *visit;
	struct cpis_client *client;
	uint64_t now_ms;
	const char *request_id, *correlation_id; // "" when the caller did not say
};

// Reads the caller's names for the call and returns them with the answer. False: they cannot be used, and the call has been answered.
__attribute__((warn_unused_result)) bool call_begin(struct call *call);
// Asks the broker as the bearer. True: an answer with outcome OK, to be freed with cpis_reply_free. False: the call has been answered.
__attribute__((warn_unused_result)) bool call_broker(struct call *call, Cpis__V1__Request *request, const Cpis__V1__Reply **ret);

// Answers with the resource and takes it over; NULL: no memory, which the server says.
void call_answer(struct call *call, int status, json_t *resource);
// Refuses with an OperationOutcome of one issue.
void call_refuse(struct call *call, int status, const char *issue_type, const char *spine_code, const char *reason_code,
		 const char *sentence);
// The server's own refusals (server.h, server_refusal).
char *call_server_refusal(int status, const char *sentence, const char **ret_content_type);

#endif
