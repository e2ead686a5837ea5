// Limits of each field, after the scan. Shared inside proto/ only.
#ifndef CPIS_PROTO_WIRE_CHECK_PRIV_H
#define CPIS_PROTO_WIRE_CHECK_PRIV_H

#include "proto/wire.h"

// `error->field` is written on failure.
enum wire_status wire_check_request(const Cpis__V1__Request *request, struct wire_error *error);
enum wire_status wire_check_reply(const Cpis__V1__Reply *reply, struct wire_error *error);

#endif
