// The contact sheet on paper, and contacts as JSON.
#ifndef CPIS_CLI_CONTACTS_SHEET_H
#define CPIS_CLI_CONTACTS_SHEET_H

#include <jansson.h>

#include "clients/cli/command_line.h"
#include "proto/wire.h"

// Asks for every organisation's contacts and has them drawn into --out, whole or not at all: what is there stays when anything
// fails. Returns the exit code.
int contacts_sheet(const struct command_line *line);

// One entry of an authority's telephones. Owned by the caller.
json_t *contacts_value(const Cpis__V1__Contacts *contacts);

#endif
