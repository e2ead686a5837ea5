// Who looked: a person's or a child's accesses as a timeline, a record with its proof, and a month's report.
#ifndef CPIS_WEB_LOOKS_H
#define CPIS_WEB_LOOKS_H

#include "clients/web/page.h"

void looks_show(struct page *page);         // GET /audit/search
void looks_search(struct page *page);       // POST /audit/search: numbers of people stay out of addresses
void looks_record(struct page *page);       // GET /audit/record?no=N
void looks_report(struct page *page);       // GET /audit/report?month=2026-11

#endif
