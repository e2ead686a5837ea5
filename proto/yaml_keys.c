// A walk through a schema of libcyaml's.
#include "proto/yaml_keys.h"

#define KEY_PATH_BYTES 256

// The schemas are ours: none is as deep as a path has room for.
static void print_keys_below(const cyaml_schema_value_t *value, const char *path, FILE *out)
{
	char below[KEY_PATH_BYTES];
	if (value->type == CYAML_SEQUENCE) {
		snprintf(below, sizeof below, "%.200s[]", path);
		print_keys_below(value->sequence.entry, below, out);
	}
	if (value->type != CYAML_MAPPING)
		return;
	for (const cyaml_schema_field_t *field = value->mapping.fields; field->key != NULL; field++) {
		snprintf(below, sizeof below, "%.200s%s%s", path, path[0] == '\0' ? "" : ".", field->key);
		fprintf(out, "| `%s` | %s |\n", below, (field->value.flags & CYAML_FLAG_OPTIONAL) != 0 ? "optional" : "required");
		print_keys_below(&field->value, below, out);
	}
}

void yaml_keys_print(const cyaml_schema_value_t *schema, FILE *out)
{
	fputs("| key | |\n| --- | --- |\n", out);
	print_keys_below(schema, "", out);
}
