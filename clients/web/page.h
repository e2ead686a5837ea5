// What a page's code works with: who is there, what they sent, the broker, and the ways to answer. One for each visit, on a worker's
// thread. Whatever a page does not answer is answered as a failure.
#ifndef CPIS_WEB_PAGE_H
#define CPIS_WEB_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "clients/libcpis/cpis.h"
#include "clients/web/model.h"
#include "clients/web/sealed.h"
#include "clients/web/settings.h"
#include "clients/web/staff.h"
#include "clients/web/templates.h"
#include "clients/http/visit.h"
#include "clients/web/web.pb-c.h"
#include "proto/wire.h"

#define PAGE_CALL_MS 8000u       // how long a page waits for the broker
#define PAGE_PROOF_MS 60000u     // how long a challenge is good for: the broker's skew
#define PAGE_ARENA_BYTES (512u * 1024u)

// What all visits share. Immutable while the server runs, but for `staff`, which has a lock of its own.
struct gateway {
	const struct settings *settings;
	const struct templates *templates;
	const struct assets *assets;
	struct staff *staff;
	struct sealer sealer;
	const char *origin;          // https://host[:port]
	const char *web_host;
	const char *host_and_port;   // host[:port]
	struct cpis_client **clients; // one for each worker
	struct arena *arenas;
	atomic_bool forked;          // the audit log was found to be two: nothing is answered any more
};

struct page {
	const struct gateway *gateway;
	struct visit *visit;
	struct cpis_client *client;
	struct arena *arena;
	uint64_t now_ms;
	Cpis__Web__V1__Visitor *visitor;  // of somebody who is not signed in; else NULL
	Cpis__Web__V1__Person *person;    // NULL: nobody is signed in
	bool locked;                      // somebody was, and did nothing for too long
	char mark[SEALED_MARK_BYTES];     // what this browser's forms carry
	bool in_background;               // asked by the page's script, not by the person: the lock comes nearer
	bool leaves;                      // the person's cookie is not to be renewed
};

// The value of a field that came; "" when there was none.
const char *page_field(const struct page *page, const char *name);
// Whether the person's role has one of these activities.
bool page_may(const struct page *page, const char *activity);

// The model of a page, with what every page has; NULL: no memory. Whoever makes it gives it to page_show.
struct model *page_model(struct page *page, const char *name);
// Answers with the template's page, and frees the model (NULL: answers that it failed).
void page_show(struct page *page, const char *template_name, struct model *model, int status);
// To a path of ours. With `%` nothing: it is text.
void page_go(struct page *page, const char *path);
// To any address: 303.
void page_leave(struct page *page, const char *address);
// JSON or a file; `text` is copied.
void page_send(struct page *page, int status, const char *content_type, const char *file_name, const char *text);
// A page with a heading and a sentence, and no more.
void page_say(struct page *page, int status, const char *heading, const char *sentence);

// Asks the broker as the person. True: an answer with outcome OK, to be freed with cpis_reply_free. False: the visit has been
// answered (refused, not reached, signed out).
bool page_call(struct page *page, Cpis__V1__Request *request, const Cpis__V1__Reply **ret);
// The same, but a refusal is an answer too: look at its outcome.
bool page_ask(struct page *page, Cpis__V1__Request *request, const Cpis__V1__Reply **ret);
// What becomes of a call: true for a reply that may be looked at. `refusals` as in page_ask.
bool page_judge(struct page *page, enum cpis_status status, const Cpis__V1__Reply *reply, bool refusals, const Cpis__V1__Reply **ret);
// Before and after a call that is made otherwise: the time in it counts as the broker's.
uint64_t page_clock_us(void);

// The reply's receipt in the model: <receipt index="12"/>.
void page_add_receipt(struct model *model, const Cpis__V1__Reply *reply);

#endif
