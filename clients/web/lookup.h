// Looking a child up: the question, the answer, and breaking the glass.
#ifndef CPIS_WEB_LOOKUP_H
#define CPIS_WEB_LOOKUP_H

#include "clients/web/page.h"

void lookup_show(struct page *page);         // GET /lookup
void lookup_ask(struct page *page);          // POST /lookup
void lookup_break_glass(struct page *page);  // POST /lookup/break-glass
// The details that the broker gave, as a page.
void lookup_show_details(struct page *page, const char *nhs_number, const Cpis__V1__Reply *reply);

#endif
