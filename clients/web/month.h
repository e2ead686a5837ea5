// A month of an organisation in figures, to be printed.
#ifndef CPIS_WEB_MONTH_H
#define CPIS_WEB_MONTH_H

#include "clients/web/page.h"

void month_show(struct page *page);         // GET /audit/report?month=2026-11

#endif
