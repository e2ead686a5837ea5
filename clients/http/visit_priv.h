// A visit's fields as libevent has them. Inside clients/http/ only.
#ifndef CPIS_HTTP_VISIT_PRIV_H
#define CPIS_HTTP_VISIT_PRIV_H

#include <sys/queue.h>

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "clients/http/visit.h"

struct visit_fields {
	struct evkeyvalq list;
};

// Of a query or a form; NULL: none, one that cannot be read, or no memory.
struct visit_fields *visit_fields_parse(const char *text);
void visit_free(struct visit *visit); // accepts NULL; wipes

#endif
