// `cpis policy`: the policy in force, and another one in its place.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"
#include "clients/cli/policy_diff.h"

// ------------------------------------------------------------------ show

static int run_show(const struct command_line *line)
{
	struct connection connection = {0};
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__PolicyShowRequest show = CPIS__V1__POLICY_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	request.body_case = CPIS__V1__REQUEST__BODY_POLICY_SHOW;
	request.policy_show = &show;
	code = connection_call(&connection, &request, &reply);
	const Cpis__V1__PolicyShowReply *shown = code == EXIT_DONE ? reply->policy_show : NULL;
	if (shown != NULL && line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, "version", json_string(shown->version));
		json_object_set_new(value, "policy", json_stringn((const char *)shown->policy.data, shown->policy.len));
		json_object_set_new(value, "loaded_by", json_string(shown->loaded_by));
		json_object_set_new(value, "loaded", output_instant(shown->loaded_ms));
		output_json(value);
	} else if (shown != NULL) {
		// The file itself on standard output, so that it can be kept; the rest beside it.
		char when[17];
		output_english_time(shown->loaded_ms, when);
		fwrite(shown->policy.data, 1, shown->policy.len, stdout);
		fprintf(stderr, "%s, ", shown->version);
		if (shown->loaded_ms == 0)
			fputs("from the broker's own file\n", stderr);
		else
			fprintf(stderr, "put in force %s by %s, audit record %llu\n", when, shown->loaded_by,
				(unsigned long long)shown->audit_index);
	}
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

// ------------------------------------------------------------------ load

static int read_file(const struct command_line *line, const char *path, uint8_t *out, size_t *ret_bytes)
{
	FILE *file = fopen(path, "rbe");
	if (file == NULL)
		return command_usage_error(line, "%s: %s", path, strerror(errno));
	*ret_bytes = fread(out, 1, POLICY_BYTES_MAX + 1, file);
	bool failed = ferror(file) != 0;
	fclose(file);
	if (failed)
		return command_usage_error(line, "%s: cannot be read", path);
	if (*ret_bytes == 0 || *ret_bytes > POLICY_BYTES_MAX)
		return command_usage_error(line, "%s: a policy that is sent has 1 to %u bytes", path, POLICY_BYTES_MAX);
	return EXIT_DONE;
}

static void print_load(const Cpis__V1__Reply *reply, bool check_only)
{
	const Cpis__V1__PolicyLoadReply *load = reply->policy_load;
	for (size_t i = 0; i < load->n_examples; i++)
		printf("%s\n", load->examples[i]);
	if (load->n_examples < load->changes)
		printf("... and %u more\n", load->changes - (uint32_t)load->n_examples);
	printf("%u decisions %s between %s and %s.\n", load->changes, check_only ? "would change" : "changed",
	       load->version_before, load->version);
	puts(check_only ? "Nothing was changed." : "It is in force.");
	output_receipt(reply);
}

static void print_load_json(const Cpis__V1__Reply *reply, bool check_only)
{
	const Cpis__V1__PolicyLoadReply *load = reply->policy_load;
	json_t *value = output_envelope(reply), *examples = json_array();
	for (size_t i = 0; i < load->n_examples; i++)
		json_array_append_new(examples, json_string(load->examples[i]));
	json_object_set_new(value, "version", json_string(load->version));
	json_object_set_new(value, "version_before", json_string(load->version_before));
	json_object_set_new(value, "changes", json_integer(load->changes));
	json_object_set_new(value, "examples", examples);
	json_object_set_new(value, "in_force", json_boolean(!check_only));
	output_json(value);
}

static int run_load(const struct command_line *line)
{
	static uint8_t policy[POLICY_BYTES_MAX + 1];
	struct connection connection = {0};
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__PolicyLoadRequest load = CPIS__V1__POLICY_LOAD_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	size_t bytes = 0;
	int code = read_file(line, line->operands[0], policy, &bytes);
	if (code == EXIT_DONE)
		code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	load.policy = (ProtobufCBinaryData){bytes, policy};
	load.reason = (char *)(uintptr_t)command_value(line, "reason");
	load.check_only = command_value(line, "check") != NULL;
	request.body_case = CPIS__V1__REQUEST__BODY_POLICY_LOAD;
	request.policy_load = &load;
	code = connection_call_signed(&connection, &request, &reply);
	if (code == EXIT_DONE && line->json)
		print_load_json(reply, load.check_only);
	else if (code == EXIT_DONE)
		print_load(reply, load.check_only);
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

static const struct command_option load_options[] = {
	{"reason", "TEXT", "why, in words: it is kept in the audit log", OPTION_WORDS},
	{"check", NULL, "only say what would change", OPTION_OPTIONAL},
	{0},
};

static const struct command commands[] = {
	{.name = "policy show",
	 .operands = "",
	 .help = "The policy in force, as it was written, on standard output; whence it came on standard error.",
	 .run = run_show},
	{.name = "policy load",
	 .operands = "POLICY.yaml",
	 .help = "Puts another policy in force, at once and whole, or not at all, and lists the decisions that change. Signed with\n"
		 "your key. For national bodies. (`cpis policy diff` compares two files offline.)",
	 .options = load_options,
	 .operands_min = 1,
	 .operands_max = 1,
	 .run = run_load},
	{.name = "policy diff",
	 .operands = "OLD.yaml NEW.yaml",
	 .help = "Every decision that changes between two policies, over all roles, operations and care settings. Done by the\n"
		 "broker's program cpis-broker, which has to be installed here too; no broker is asked.",
	 .operands_min = 2,
	 .operands_max = 2,
	 .offline = true,
	 .text_only = true,
	 .run = policy_diff},
};

int command_policy(int argc, char **argv)
{
	return command_dispatch_group("policy", "What each role may do.", commands, sizeof commands / sizeof commands[0], argc,
				      argv);
}
