// Limits of each field, after the scan. Shared inside proto/ only.
#ifndef CPIS_PROTO_WIRE_CHECK_PRIV_H
#define CPIS_PROTO_WIRE_CHECK_PRIV_H

#include "proto/wire.h"

// wire_check.c, wire_check_reply.c. `error->field` is written on failure.
enum wire_status wire_check_request(const Cpis__V1__Request *request, struct wire_error *error);
enum wire_status wire_check_reply(const Cpis__V1__Reply *reply, struct wire_error *error);

// First failing check wins: `status` is passed through once it is not WIRE_OK.
enum wire_status wire_require(enum wire_status status, bool holds, enum wire_status otherwise, const char *field,
			      struct wire_error *error);
// In a function with `status` and `error`.
#define REQUIRE(holds, otherwise, field) status = wire_require(status, holds, otherwise, field, error)

bool wire_is_ods(const char *text);
// Required, and of at least REASON_CHARACTERS_MIN characters.
enum wire_status wire_check_words(const char *words, const char *field, struct wire_error *error);

// Of a session or an act, and as a record shows it.
enum wire_status wire_check_browser_proof(const Cpis__V1__BrowserProof *proof, struct wire_error *error);
// An inbox item of a reply.
enum wire_status wire_check_item(const Cpis__V1__InboxItem *item, struct wire_error *error);
// wire_check_log.c.
enum wire_status wire_check_consistency(const Cpis__V1__AuditConsistencyRequest *body, struct wire_error *error);
enum wire_status wire_check_checkpoints(const Cpis__V1__CheckpointExchangeReply *body, struct wire_error *error);
// A consistency proof's length and its hashes'.
enum wire_status wire_check_growth(size_t count, const ProtobufCBinaryData *hashes, const char *field,
				   struct wire_error *error);

// wire_check_publication.c, wire_check_exchange.c, wire_check_alert.c, wire_check_retention.c: the bodies of their subjects. WIRE_MISSING "body" for any other.
enum wire_status wire_check_publication(const Cpis__V1__Request *request, struct wire_error *error);
enum wire_status wire_check_publication_reply(const Cpis__V1__Reply *reply, struct wire_error *error);
enum wire_status wire_check_exchange(const Cpis__V1__Request *request, struct wire_error *error);
enum wire_status wire_check_exchange_reply(const Cpis__V1__Reply *reply, struct wire_error *error);
enum wire_status wire_check_alert(const Cpis__V1__Request *request, struct wire_error *error);
enum wire_status wire_check_alert_reply(const Cpis__V1__Reply *reply, struct wire_error *error);
enum wire_status wire_check_retention(const Cpis__V1__Request *request, struct wire_error *error);
enum wire_status wire_check_retention_reply(const Cpis__V1__Reply *reply, struct wire_error *error);

#endif
