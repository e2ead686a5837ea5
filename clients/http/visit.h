// One HTTP request and its answer, between the server's thread, which reads and writes, and a worker, which has it in between. What
// came in is text as the browser sent it: a field is looked at by whoever uses it.
#ifndef CPIS_HTTP_VISIT_H
#define CPIS_HTTP_VISIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/http/tls.h"

#define VISIT_PATH_BYTES 128
#define VISIT_COOKIES_MAX 3

#define VISIT_HEADERS_MAX 8
#define VISIT_HEADER_BYTES 160

struct visit_fields; // of a query, a form, or headers

struct visit_header {
	const char *name;
	char value[VISIT_HEADER_BYTES];
};

struct visit {
	bool is_post;
	char path[VISIT_PATH_BYTES];       // without the query
	char label[TLS_LABEL_BYTES + 1];   // of the host that takes proofs; "": the pages' host
	char origin[320];                  // header; "" when there was none
	char fetch_site[16];               // Sec-Fetch-Site; "" when there was none
	char *cookies;                     // header, or NULL
	uint8_t *transcript, *certificate; // on a host that takes proofs (tls.h)
	size_t transcript_bytes, certificate_bytes;
	struct visit_fields *query, *form; // NULL: none
	struct visit_fields *headers;      // those that the program wants (server_options); NULL: none came

	int status;                        // of the answer; 0: none yet
	char *body;
	size_t body_bytes;
	const char *content_type;
	const char *file_name;             // as an attachment; NULL: not as one
	char *location;                    // of a redirection
	char *cookie[VISIT_COOKIES_MAX];   // Set-Cookie lines
	struct visit_header answers[VISIT_HEADERS_MAX]; // further headers
	size_t answers_count;
	uint64_t started_us, broker_us;    // for Server-Timing: since when, and how long the broker took

	void *connection;                  // the server's own
	struct visit *next;                // in a queue
};

// The value of a field of the form, or of the query of a GET. "" when there is none or it is not clean text; line breaks count as
// spaces. Borrowed.
const char *visit_field(const struct visit *visit, const char *name);
// Field number `index` of the form, or of the query of a GET, as it came; false: there are no more. Borrowed.
bool visit_field_at(const struct visit *visit, size_t index, const char **ret_name, const char **ret_value);
// A header that the program wanted; "" when there was none. Borrowed.
const char *visit_header(const struct visit *visit, const char *name);
// A header of the answer; one too many, or too long, is left out.
void visit_answer_header(struct visit *visit, const char *name, const char *value);
// The value of a cookie, malloc'd; NULL: none.
char *visit_cookie(const struct visit *visit, const char *name);

#endif
