// Following pages.
#include "clients/cli/audit_pages.h"

#include "clients/cli/commands.h"

int audit_pages_follow(struct connection *connection, Cpis__V1__AuditSearchRequest *search, bool all, audit_pages_page *page,
		       void *context)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	bool first = true, more = true;
	int code = EXIT_DONE;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = search;
	while (code == EXIT_DONE && more) {
		const Cpis__V1__Reply *reply = NULL;
		code = connection_call(connection, &request, &reply);
		if (code != EXIT_DONE)
			break;
		const Cpis__V1__AuditSearchReply *found = reply->audit_search;
		bool last = !found->more || (!all && found->n_entries > 0);
		if (found->n_entries > 0 || last)
			page(context, reply);
		more = !last;
		if (search->oldest_first && first && search->before_index == 0)
			search->before_index = reply->receipt->index;
		if (search->oldest_first)
			search->from_index = found->next_from_index;
		else
			search->before_index = found->next_before_index;
		first = false;
		cpis_reply_free(reply);
	}
	return code;
}
