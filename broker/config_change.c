// What a running broker can change of its configuration.
#include "broker/config_change.h"

#include <stdio.h>
#include <string.h>

// Read at a start alone: keys, as whoever the broker became may not be able to read them; what the sandbox and the front were made
// for; and the store.
#define FIXED_TEXTS(X)             \
	X(broker_name)             \
	X(endpoint)                \
	X(endpoint_file)           \
	X(enrolment_endpoint)      \
	X(enrolment_endpoint_file) \
	X(next_endpoint)           \
	X(next_endpoint_file)      \
	X(next_certificate)        \
	X(next_key)                \
	X(metrics_endpoint)        \
	X(metrics_endpoint_file)   \
	X(key)                     \
	X(log_key)                 \
	X(trust_directory)         \
	X(enrolled_directory)      \
	X(register_file)           \
	X(identity_directory)      \
	X(store_file)              \
	X(store_postgres)          \
	X(handover_socket)         \
	X(store_key)               \
	X(session_key)             \
	X(session_key_previous)    \
	X(user)
#define FIXED_NUMBERS(X)     \
	X(store_lone_server) \
	X(log_format)        \
	X(drill)             \
	X(sandbox)           \
	X(batch_max)
#define FREE_TEXTS(X)  \
	X(certificate) \
	X(policy_file)
#define FREE_NUMBERS(X)                \
	X(connections_max)             \
	X(connections_per_system_max)  \
	X(waiting_max)                 \
	X(waiting_per_system_max)      \
	X(busy_after_ms)               \
	X(front_memory_mb)             \
	X(witness_required_s)

// Each setting is in one of them: a new one does not compile until it is.
#define COUNT(name) +1
#define ROUNDED(bytes) (((bytes) + sizeof(char *) - 1) / sizeof(char *) * sizeof(char *))
_Static_assert(sizeof(struct config) == (0 FIXED_TEXTS(COUNT) FREE_TEXTS(COUNT)) * sizeof(char *) + ROUNDED(sizeof(bool)) +
						ROUNDED((0 FIXED_NUMBERS(COUNT) FREE_NUMBERS(COUNT) - 1) * sizeof(unsigned)),
	       "enter the new setting above");

static bool texts_differ(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a != b : strcmp(a, b) != 0;
}

static void add_name(char names[CONFIG_CHANGE_BYTES], const char *name)
{
	size_t used = strlen(names);
	snprintf(names + used, CONFIG_CHANGE_BYTES - used, "%s%s", used == 0 ? "" : ", ", name);
}

#define ADD_TEXT(name)                             \
	if (texts_differ(now->name, fresh->name))  \
		add_name(ret_names, #name);
#define ADD_NUMBER(name)               \
	if (now->name != fresh->name)  \
		add_name(ret_names, #name);

bool config_change_needs_restart(const struct config *now, const struct config *fresh, char ret_names[CONFIG_CHANGE_BYTES])
{
	ret_names[0] = '\0';
	FIXED_TEXTS(ADD_TEXT)
	FIXED_NUMBERS(ADD_NUMBER)
	return ret_names[0] != '\0';
}

bool config_change_is_there(const struct config *now, const struct config *fresh, char ret_names[CONFIG_CHANGE_BYTES])
{
	ret_names[0] = '\0';
	FREE_TEXTS(ADD_TEXT)
	FREE_NUMBERS(ADD_NUMBER)
	return ret_names[0] != '\0';
}

void config_change_adopt(struct config *now, struct config *fresh)
{
#define SWAP(name)                        \
	{                                 \
		char *before = now->name; \
		now->name = fresh->name;  \
		fresh->name = before;     \
	}
#define COPY(name) now->name = fresh->name;
	FREE_TEXTS(SWAP)
	FREE_NUMBERS(COPY)
}
