// The schemas of the policy's and the register's file, for whom describes them: broker/describe.c.
#ifndef CPIS_BROKER_FILE_SCHEMAS_PRIV_H
#define CPIS_BROKER_FILE_SCHEMAS_PRIV_H

#include "proto/yaml_file.h"

extern const cyaml_schema_value_t policy_file_schema;   // policy_file.c
extern const cyaml_schema_value_t register_file_schema; // register_file.c

#endif
