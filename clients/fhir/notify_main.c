// cpis-fhir-notify: tells an authority's own FHIR endpoint of one inbox item (clients/fhir/README.md). It is run by
// `cpis inbox follow --exec` and knows neither broker nor person: following, retrying and acknowledging are cpis's.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clients/fhir/notify_bundle.h"
#include "clients/fhir/notify_post.h"
#include "clients/fhir/notify_sandbox.h"

enum mode { TELL, CHECK, HANDSHAKE, HEARTBEAT };

// All that has to be given back.
struct program {
	struct notify_settings *settings;
	struct notify_tls tls;
	struct notify_file authorization;
	struct notify_item item;
	struct notify_bundle bundle;
};

static enum notify_exit complain(const struct program *program, enum notify_exit end, const char *what)
{
	if (program->item.id == 0)
		fprintf(stderr, "cpis-fhir-notify: %s\n", what);
	else
		fprintf(stderr, "cpis-fhir-notify: item %llu of the %s: %s\n", (unsigned long long)program->item.id,
			notify_item_box(&program->item), what);
	return end;
}

// One line without control characters: it becomes a header.
static bool read_authorization(struct program *program, char *detail)
{
	const char *path = program->settings->authorization_file;
	struct notify_file *file = &program->authorization;
	if (path == NULL)
		return true;
	if (!notify_file_read(path, true, file, detail))
		return false;
	while (file->bytes > 0 && (file->data[file->bytes - 1] == '\n' || file->data[file->bytes - 1] == '\r'))
		file->data[--file->bytes] = '\0';
	for (size_t i = 0; i < file->bytes; i++) {
		if (file->data[i] < ' ' || file->data[i] > '~')
			file->bytes = 0;
	}
	if (file->bytes > 0)
		return true;
	snprintf(detail, NOTIFY_DETAIL_BYTES, "%.300s: not one line of printable ASCII, as the Authorization header needs it",
		 path);
	return false;
}

static enum notify_exit post(struct program *program, char *detail)
{
	char *body = json_dumps(program->bundle.bundle, JSON_COMPACT);
	const struct notify_post call = {
		.settings = program->settings,
		.tls = &program->tls,
		.authorization = program->settings->authorization_file == NULL ? NULL : program->authorization.data,
		.id = program->bundle.id,
		.body = body,
	};
	enum notify_exit end = notify_sandbox_enter(detail) ? notify_post_run(&call, detail) : NOTIFY_FAILED;
	notify_secret_free(body);
	return end;
}

static enum notify_exit tell(struct program *program, char *detail)
{
	if (!notify_item_read(STDIN_FILENO, &program->item, detail) ||
	    !notify_bundle_of_item(program->settings, &program->item, &program->bundle, detail))
		return complain(program, NOTIFY_USAGE, detail);
	enum notify_exit end = post(program, detail);
	if (end != NOTIFY_TOLD)
		return complain(program, end, detail);
	if (program->settings->content == NOTIFY_FULL_RESOURCE)
		return NOTIFY_TOLD;
	return complain(program, NOTIFY_HINTED,
			"the endpoint has the hint; the item stays unacknowledged until somebody has read it");
}

static enum notify_exit try_endpoint(struct program *program, const char *type, char *detail)
{
	if (!notify_bundle_bare(program->settings, type, &program->bundle, detail))
		return complain(program, NOTIFY_FAILED, detail);
	enum notify_exit end = post(program, detail);
	if (end != NOTIFY_TOLD)
		return complain(program, end, detail);
	printf("%s has accepted a %s.\n", program->settings->host, type);
	return NOTIFY_TOLD;
}

static enum notify_exit run(struct program *program, const char *path, enum mode mode)
{
	char detail[NOTIFY_DETAIL_BYTES] = "";
	if (!notify_settings_load(path, &program->settings, detail) ||
	    !notify_tls_read(program->settings, &program->tls, detail) || !read_authorization(program, detail))
		return complain(program, NOTIFY_USAGE, detail);
	switch (mode) {
	case CHECK:
		printf("The settings are in order, and so are the files that they name. Nothing was sent.\n");
		if (!notify_sandbox_is_there())
			printf("This kernel has no Landlock: the program can reach every file that its user can.\n");
		return NOTIFY_TOLD;
	case HANDSHAKE:
		return try_endpoint(program, "handshake", detail);
	case HEARTBEAT:
		return try_endpoint(program, "heartbeat", detail);
	case TELL:
		break;
	}
	return tell(program, detail);
}

static void print_help(FILE *out)
{
	fprintf(out,
		"usage: cpis-fhir-notify --config FILE [--check | --handshake | --heartbeat]\n\n"
		"Tells an authority's FHIR endpoint of the inbox item on standard input. clients/fhir/README.md describes the file.\n\n"
		"  --check      looks at the settings and the files that they name; sends nothing\n"
		"  --handshake  tries the endpoint, before any child's data goes there\n"
		"  --heartbeat  says to the endpoint that this is alive\n\nExit codes:\n");
#define X(name, value, sentence) fprintf(out, "  %d  %s\n", value, sentence);
	NOTIFY_EXIT_TABLE(X)
#undef X
}

// What the manual is made from.
static enum notify_exit describe(const char *topic)
{
	if (strcmp(topic, "exit-codes") == 0) {
		puts("| code | meaning |\n| --- | --- |");
#define X(name, value, sentence) printf("| %d | %s |\n", value, sentence);
		NOTIFY_EXIT_TABLE(X)
#undef X
		return NOTIFY_TOLD;
	}
	if (strcmp(topic, "settings") == 0) {
		notify_settings_describe();
		return NOTIFY_TOLD;
	}
	fprintf(stderr, "cpis-fhir-notify: --describe exit-codes or settings\n");
	return NOTIFY_USAGE;
}

// No core with a child or a key in it.
static void harden(void)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
#ifndef CPIS_SANITIZED
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

static enum notify_exit run_guarded(const char *path, enum mode mode)
{
	struct program program = {0};
	harden();
	if (!notify_post_begin())
		return complain(&program, NOTIFY_FAILED, "libcurl cannot be used");
	enum notify_exit end = run(&program, path, mode);
	notify_bundle_free(&program.bundle);
	notify_item_free(&program.item);
	notify_file_free(&program.authorization);
	notify_tls_free(&program.tls);
	notify_settings_free(program.settings);
	notify_post_end();
	return end;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
						{"check", no_argument, NULL, CHECK},
						{"handshake", no_argument, NULL, HANDSHAKE},
						{"heartbeat", no_argument, NULL, HEARTBEAT},
						{"describe", required_argument, NULL, 'd'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const char *path = NULL;
	enum mode mode = TELL;
	bool good = true;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 'h') {
			print_help(stdout);
			return NOTIFY_TOLD;
		}
		if (option == 'd')
			return (int)describe(optarg);
		if (option == 'c') {
			path = optarg;
		} else if (option == '?' || mode != TELL) {
			good = false;
		} else {
			mode = (enum mode)option;
		}
	}
	if (good && path != NULL && optind == argc)
		return (int)run_guarded(path, mode);
	print_help(stderr);
	return NOTIFY_USAGE;
}
