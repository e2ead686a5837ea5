// What the requests about enrolment share. Inside op_enrol*.c only.
#ifndef CPIS_BROKER_OP_ENROL_H
#define CPIS_BROKER_OP_ENROL_H

#include "broker/op.h"
#include "certs/public_key.h"

// Whether this registrar may invite systems of this organisation: the own one; for a national body any in the register.
bool op_enrol_in_scope(const struct op_context *context, const struct ods_code *organisation);

// The system that the register has for this key, if its certificate is for this organisation and name and holds now; the
// lists that say so are up to date. Else NULL.
const struct enrolled_system *op_enrol_issued(const struct op_context *context, const uint8_t public_key[KEY_BYTES],
					      const char *organisation, const char *system_name);

// "RXH/ed-record-system", or with a key "RXH/ed-record-system 3f2a-91c0-7d11-0b5e-c442", into the audit detail. False: no
// memory.
__attribute__((warn_unused_result)) bool op_enrol_note(struct op_context *context, const char *organisation,
						       const char *system_name, const char *fingerprint);

#endif
