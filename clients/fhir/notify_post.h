// One POST over TLS, by libcurl. Nothing of what is sent or answered gets into `detail` but the status and names of hosts.
#ifndef CPIS_FHIR_NOTIFY_POST_H
#define CPIS_FHIR_NOTIFY_POST_H

#include "clients/fhir/notify_exit.h"
#include "clients/fhir/notify_settings.h"
#include "clients/fhir/notify_tls.h"

#define NOTIFY_ANSWER_BYTES_MAX 65536u

struct notify_post {
	const struct notify_settings *settings;
	const struct notify_tls *tls;
	const char *authorization;   // the header's value; NULL: none
	const char *id;              // X-Request-ID
	const char *body;
};

// Once, before anything of libcurl's or jansson's.
__attribute__((warn_unused_result)) bool notify_post_begin(void);
void notify_post_end(void);

// NOTIFY_TOLD, or `detail` says what became of it. At most `deadline_seconds` and NOTIFY_ANSWER_BYTES_MAX, headers included; the
// answer is not kept. Follows no redirect, uses no proxy, trusts no authority but those of `tls`.
enum notify_exit notify_post_run(const struct notify_post *post, char detail[NOTIFY_DETAIL_BYTES]);

#endif
