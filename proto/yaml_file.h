// Reading a YAML file through libcyaml's schemas, with its complaints turned into one sentence with the
// place.
//
// What libcyaml lets pass and callers must not use for settings: its booleans take any word for true, and its
// numbers stop at the first letter ("10k" is 10). Take YAML_FILE_BOOL, and strings for numbers.
#ifndef CPIS_PROTO_YAML_FILE_H
#define CPIS_PROTO_YAML_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cyaml/cyaml.h>

#define YAML_FILE_BYTES_MAX (4u * 1024u * 1024u)

// The bytes as they were read, once: what is hashed is what is parsed.
struct yaml_file {
	const char *path; // borrowed
	uint8_t *bytes;
	size_t bytes_count;
};

// Files over YAML_FILE_BYTES_MAX and anything that is not a regular file are refused; `detail` says why.
__attribute__((warn_unused_result)) bool yaml_file_open(const char *path, struct yaml_file *ret,
							 char *detail, size_t detail_bytes);
void yaml_file_close(struct yaml_file *file); // harmless on a zeroed one

// Parses by `schema`, whose top level is a mapping behind a pointer. YAML aliases, unknown, missing and
// doubled keys, empty files and second documents are refused. False: `detail` says
// "<path>:<line>: what is wrong", without the line where libyaml does not tell one. Free with yaml_file_free.
__attribute__((warn_unused_result)) bool
yaml_file_load(const struct yaml_file *file, const cyaml_schema_value_t *schema, void **ret, char *detail,
	       size_t detail_bytes);
void yaml_file_free(const cyaml_schema_value_t *schema, void *data); // accepts NULL

// Where a value stands that the schema allows and its reader does not.
struct yaml_place {
	const struct yaml_file *file;
	const cyaml_schema_value_t *schema;
	const char *key; // of the top-level mapping
	unsigned index;  // entry, when the key holds a sequence
	char *detail;
	size_t detail_bytes;
};

// Writes "<path>:<line>: <what is wrong>" to the place's detail. Always false, for
// `return yaml_file_refuse(...)`.
bool yaml_file_refuse(const struct yaml_place *place, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

// A relative `*path` out of the file at `file_path` becomes one that starts where that file is; NULL stays NULL. The
// text is malloc'd and replaced. False: no memory.
__attribute__((warn_unused_result)) bool yaml_file_resolve(const char *file_path, char **path);

// A file with a key in it may be "credential:NAME" as well: what the service manager hands over in $CREDENTIALS_DIRECTORY
// (systemd.exec(5), "Credentials"). For a program that is started by hand, without that variable, NAME in the directory keys/
// beside the file at `file_path`, from where the units of the packages take them.
__attribute__((warn_unused_result)) bool yaml_file_resolve_secret(const char *file_path, char **path);
// False for a credential whose NAME is not one file's: refuse it with YAML_FILE_SECRET_UNNAMED and the key's name. NULL is good.
__attribute__((warn_unused_result)) bool yaml_file_secret_is_named(const char *path);
#define YAML_FILE_SECRET_UNNAMED "%s: what follows credential: is one file's name"

// A strict true or false, into a member of type int.
extern const cyaml_strval_t yaml_file_bool_words[2];
#define YAML_FILE_BOOL(key, flags, structure, member)                                                \
	CYAML_FIELD_ENUM(key, (flags) | CYAML_FLAG_STRICT, structure, member, yaml_file_bool_words, 2)

#endif
