// The pages of a search of the audit log, one after the other; none is kept.
#ifndef CPIS_CLI_AUDIT_PAGES_H
#define CPIS_CLI_AUDIT_PAGES_H

#include "clients/cli/connection.h"

// Called for each page that has entries, and for the last one; borrowed until it returns.
typedef void audit_pages_page(void *context, const Cpis__V1__Reply *page);

// Follows a search. `all` false: to the first page that has entries, over the empty stretches of a long log; `all` true: to the
// end, which is where the log ended when it began, so that the records of its own pages are not in it.
// EXIT_DONE, or it has been said what is wrong and this is the exit code.
int audit_pages_follow(struct connection *connection, Cpis__V1__AuditSearchRequest *search, bool all, audit_pages_page *page,
		       void *context);

#endif
