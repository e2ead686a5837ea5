// An audit record in words: for a list, in full, and for the family of the child.
#ifndef CPIS_CLI_AUDIT_WORDS_H
#define CPIS_CLI_AUDIT_WORDS_H

#include "proto/wire.h"

// "asked whether the child is known..."; NULL where its name has to do.
const char *audit_words_operation(Cpis__V1__Operation operation);
// 32 hexadecimal digits; "" for an id that is not there.
void audit_words_id(ProtobufCBinaryData id, char out[33]);

// A few lines.
void audit_words_print(const Cpis__V1__AuditEntry *entry);
// All that it says, a line for each.
void audit_words_print_all(const Cpis__V1__AuditEntry *entry);
// A sentence or two, without numbers and codes.
void audit_words_print_plain(const Cpis__V1__AuditEntry *entry);

#endif
