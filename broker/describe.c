// One function a topic, each over a table that is the code's own.
#include "broker/describe.h"

#include <string.h>

#include "broker/command_table.h"
#include "broker/config_table.h"
#include "broker/file_schemas_priv.h"
#include "broker/log_events.h"
#include "broker/metrics_text.h"
#include "broker/reason.h"
#include "proto/yaml_keys.h"

static void commands(FILE *out)
{
	fputs("| option | words | what is done |\n| --- | --- | --- |\n", out);
#define X(function, option, operands, least, most, sentence)                                                \
	fprintf(out, "| %s%s%s | %s | %s |\n", option[0] == '\0' ? "" : "`--", option, option[0] == '\0' ? "" : "`", operands, sentence);
	COMMAND_TABLE(X)
#undef X
}

static void events(FILE *out)
{
	fputs("| event | level | security | meaning | what to do |\n| --- | --- | --- | --- | --- |\n", out);
	for (enum log_event event = 0; event < LOG_EVENTS; event++) {
		const struct log_event_row *row = log_event_row(event);
		fprintf(out, "| `%s` | %s | %s | %s | %s |\n", row->word, log_level_word(row->level), row->kind == LOG_KIND_SECURITY ? "yes" : "",
			row->meaning, row->remedy);
	}
}

static void exit_codes(FILE *out)
{
	fputs("| code | meaning |\n| --- | --- |\n", out);
#define X(name, value, sentence) fprintf(out, "| %d | %s |\n", value, sentence);
	EXIT_TABLE(X)
#undef X
}

static void number_setting(FILE *out, const char *key, unsigned least, unsigned most, unsigned usual, const char *cap, const char *unit,
			   const char *meaning)
{
	char least_and_most[80], given[80];
	const char *space = unit[0] == '\0' ? "" : " ";
	if (cap[0] == '\0')
		snprintf(least_and_most, sizeof least_and_most, "%u", most);
	else
		snprintf(least_and_most, sizeof least_and_most, "`%s`", cap);
	if (usual == 0)
		snprintf(given, sizeof given, "none");
	else
		snprintf(given, sizeof given, cap[0] == '\0' ? "%u%s%s" : "%u%s%s, or `%s` if that is less", usual, space, unit, cap);
	fprintf(out, "| `%s` | %s | %s; %u to %s%s%s |\n", key, given, meaning, least, least_and_most, space, unit);
}

static void settings(FILE *out)
{
	fputs("| key | default | meaning |\n| --- | --- | --- |\n", out);
#define WORD(key, member, needed, bytes_max, usual, meaning) fprintf(out, "| `%s` | %s | %s |\n", #key, usual, meaning);
#define PATH(key, needed, usual, meaning) fprintf(out, "| `%s` | %s | %s |\n", #key, usual, meaning);
#define NUMBER(key, least, most, usual, cap, unit, meaning) number_setting(out, #key, least, most, usual, cap, unit, meaning);
	CONFIG_TABLE(WORD, PATH, PATH, PATH, NUMBER)
#undef WORD
#undef PATH
#undef NUMBER
}

static void reasons(FILE *out)
{
	fputs("| word | outcome | sentence |\n| --- | --- | --- |\n", out);
	for (enum reason reason = REASON_NONE + 1; reason < REASONS; reason++) {
		const ProtobufCEnumValue *outcome =
			protobuf_c_enum_descriptor_get_value(&cpis__v1__outcome__descriptor, (int)reason_outcome(reason));
		fprintf(out, "| `%s` | `%s` | %s |\n", reason_word(reason), outcome->name, reason_sentence(reason));
	}
}

static void policy_keys(FILE *out)
{
	yaml_keys_print(&policy_file_schema, out);
}

static void register_keys(FILE *out)
{
	yaml_keys_print(&register_file_schema, out);
}

static void topics(FILE *out);

static const struct {
	const char *name, *what;
	void (*print)(FILE *out);
} topic_table[] = {
	{"commands", "the command line", commands},
	{"events", "the operator's log: word, level, whether it is a security event, meaning, what to do", events},
	{"exit-codes", "how the program ends", exit_codes},
	{"metrics", "what /metrics shows", metrics_text_describe},
	{"policy-keys", "the policy file's keys", policy_keys},
	{"reasons", "why a request is refused: the word in replies and records, the outcome, the sentence", reasons},
	{"register-keys", "the register file's keys", register_keys},
	{"settings", "the configuration file's keys", settings},
	{"topics", "this table", topics},
};
#define TOPICS (sizeof topic_table / sizeof topic_table[0])

static void topics(FILE *out)
{
	fputs("| topic | what |\n| --- | --- |\n", out);
	for (size_t i = 0; i < TOPICS; i++)
		fprintf(out, "| `%s` | %s |\n", topic_table[i].name, topic_table[i].what);
}

bool describe(const char *topic, FILE *out)
{
	for (size_t i = 0; i < TOPICS; i++)
		if (strcmp(topic_table[i].name, topic) == 0) {
			topic_table[i].print(out);
			return true;
		}
	return false;
}
