// Prints what a program was compiled for when it was linked with a libcpis: layouts and numbers, a line each, so that two versions
// can be compared by lines. The messages come out of the library's own descriptors, whose names (cpis__v1__...__descriptor) are read
// from standard input; what is in cpis.h comes from the header that this was compiled with.
//	abi_dump LIBRARY < NAMES
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/libcpis/cpis.h"

#define FIELD(structure, field)                                                                      \
	printf("member %s.%s at %zu, %zu bytes\n", #structure, #field, offsetof(struct structure, field),    \
	       sizeof(((struct structure *)0)->field))

static void dump_header(void)
{
	printf("struct cpis_broker %zu bytes\n", sizeof(struct cpis_broker));
	FIELD(cpis_broker, endpoint);
	FIELD(cpis_broker, broker_name);
	FIELD(cpis_broker, broker_certificate);
	printf("struct cpis_options %zu bytes\n", sizeof(struct cpis_options));
	FIELD(cpis_options, endpoint);
	FIELD(cpis_options, broker_name);
	FIELD(cpis_options, broker_certificate);
	FIELD(cpis_options, trust_directory);
	FIELD(cpis_options, system_certificate);
	FIELD(cpis_options, system_key);
	FIELD(cpis_options, checkpoint_file);
	FIELD(cpis_options, key_lock);
	FIELD(cpis_options, further);
	FIELD(cpis_options, further_count);
	FIELD(cpis_options, reserved);
#define X(name, sentence) printf("status %s %d\n", #name, (int)name);
	CPIS_STATUS_TABLE(X)
#undef X
#define CONSTANT(name) printf("constant %s %u\n", #name, (unsigned)(name))
	CONSTANT(CPIS_FURTHER_MAX);
	CONSTANT(CPIS_DETAIL_BYTES);
	CONSTANT(CPIS_TOKEN_BYTES_MAX);
	CONSTANT(CPIS_CHALLENGE_BYTES);
	CONSTANT(CPIS_STATEMENT_BYTES_MAX);
	CONSTANT(CPIS_FINGERPRINT_BYTES);
}

static void dump_message(const ProtobufCMessageDescriptor *message)
{
	printf("message %s %zu bytes\n", message->name, message->sizeof_message);
	for (unsigned i = 0; i < message->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->fields[i];
		printf("field %s.%s number %u, type %d, label %d, at %u, quantifier at %u%s\n", message->name, field->name, field->id,
		       (int)field->type, (int)field->label, field->offset, field->quantifier_offset,
		       (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 ? ", oneof" : "");
	}
}

static void dump_enum(const ProtobufCEnumDescriptor *numbers)
{
	for (unsigned i = 0; i < numbers->n_values; i++)
		printf("value %s %s %d\n", numbers->name, numbers->values[i].c_name, numbers->values[i].value);
}

int main(int argc, char **argv)
{
	char name[256];
	if (argc != 2) {
		fprintf(stderr, "usage: abi_dump LIBRARY < NAMES\n");
		return 2;
	}
	void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (library == NULL) {
		fprintf(stderr, "abi_dump: %s\n", dlerror());
		return 1;
	}
	dump_header();
	while (fgets(name, sizeof name, stdin) != NULL) {
		name[strcspn(name, "\n")] = '\0';
		// Both kinds begin with the same number, which tells them apart.
		const void *descriptor = dlsym(library, name);
		if (descriptor == NULL) {
			fprintf(stderr, "abi_dump: %s: %s\n", name, dlerror());
			return 1;
		}
		if (*(const uint32_t *)descriptor == PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC)
			dump_message(descriptor);
		else if (*(const uint32_t *)descriptor == PROTOBUF_C__ENUM_DESCRIPTOR_MAGIC)
			dump_enum(descriptor);
	}
	dlclose(library);
	return 0;
}
