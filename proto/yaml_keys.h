// What a YAML schema allows, in words for people.
#ifndef CPIS_PROTO_YAML_KEYS_H
#define CPIS_PROTO_YAML_KEYS_H

#include <stdio.h>

#include "proto/yaml_file.h"

// Every key that the schema knows, as rows of Markdown for the manual: where it stands, `a.b` within `a` and `a[].b` within each entry
// of `a`, and whether it must be there. In the schema's order.
void yaml_keys_print(const cyaml_schema_value_t *schema, FILE *out);

#endif
