// Acts that need the person's own proof at that moment (broker/README.md): asked for on a page of its own, proven by passkey or
// certificate, then carried out. Between the pages the act is in the browser's keeping, sealed, for a minute at a time.
#ifndef CPIS_WEB_ACT_H
#define CPIS_WEB_ACT_H

#include "clients/web/page.h"

// What is shown afterwards.
enum act_kind {
	ACT_BREAK_GLASS = 1,
	ACT_CASE_OUTCOME,
	ACT_CASE_CLOSE,
};

struct act_words {
	const char *heading;  // "Break the glass"
	const char *sentence; // what is about to be done, and what follows from it
	const char *button;
};

// Asks the person whether they mean it. `context` is what the page afterwards needs besides the reply, at most 200 bytes; or "".
void act_ask(struct page *page, Cpis__V1__Request *request, enum act_kind kind, const char *context, const struct act_words *words);

void act_challenge(struct page *page); // POST /act/challenge: JSON, for the page's script: the same act, made anew
void act_passkey(struct page *page);   // POST /act
void act_prove(struct page *page);     // POST /proof/act, at the host that takes the proof

#endif
