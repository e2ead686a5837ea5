// The inbox: what an organisation was told, and what its staff do about it.
#ifndef CPIS_WEB_INBOX_H
#define CPIS_WEB_INBOX_H

#include "clients/web/page.h"

void inbox_show(struct page *page);         // GET /inbox: what is new; ?show=all, ?show=escalated; ?after=ID
void inbox_acknowledge(struct page *page);  // POST /inbox/acknowledge
void inbox_ask(struct page *page);          // POST /inbox/ask: an enquiry about a notification
void inbox_answer(struct page *page);       // POST /inbox/answer: to an enquiry

#endif
