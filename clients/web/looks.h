// Who looked: a person's or a child's accesses as a timeline, and a record with its proof.
#ifndef CPIS_WEB_LOOKS_H
#define CPIS_WEB_LOOKS_H

#include "clients/web/page.h"

void looks_show(struct page *page);         // GET /audit/search
void looks_search(struct page *page);       // POST /audit/search: numbers of people stay out of addresses
void looks_record(struct page *page);       // GET /audit/record?no=N

#endif
