// Challenges as JSON, by jansson.
#include "clients/web/challenge.h"

#include <stdlib.h>

#include <jansson.h>

void challenge_send(struct page *page, const char *sealed, const uint8_t challenge[PROOF_CHALLENGE_BYTES], const char *problem)
{
	json_t *object = sealed == NULL ? json_pack("{s:s}", "problem", problem)
					: json_pack("{s:s, s:s, s:s}", "pending", sealed, "challenge",
						    sealed_base64(page->arena, challenge, PROOF_CHALLENGE_BYTES), "host",
						    page->gateway->web_host);
	char *body = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
	if (body != NULL)
		page_send(page, sealed == NULL ? 400 : 200, "application/json", NULL, body);
	free(body);
	json_decref(object);
}
