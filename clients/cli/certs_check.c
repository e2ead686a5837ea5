// `cpis certs check`: what expires soon, for monitoring.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clients/cli/certs_show.h"
#include "clients/cli/commands.h"
#include "clients/cli/output.h"

#define DAYS_DEFAULT 30u
#define DAYS_MAX 3650u
#define DAY_MS (UINT64_C(24) * 60 * 60 * 1000)

struct checked {
	const char *path;
	const char *kind;
	struct certificate_description description; // zeroed for revocation lists
	uint64_t until_ms;
	enum certs_status verdict;   // CERTS_OK, or why it does not hold now
};

static int by_end(const void *left, const void *right)
{
	const struct checked *a = left, *b = right;
	return a->until_ms < b->until_ms ? -1 : a->until_ms > b->until_ms;
}

static int check_file(const struct trust *trust, const char *path, uint64_t now_ms, struct checked *ret)
{
	char detail[CERTS_DETAIL_BYTES];
	*ret = (struct checked){.path = path};
	enum certs_status status = certificate_describe_file(path, &ret->description, detail);
	if (status != CERTS_OK)
		return certs_failure(status, detail);
	ret->kind = certs_kind_text(ret->description.kind);
	ret->until_ms = ret->description.not_after_ms;
	if (trust != NULL)
		ret->verdict = certs_judge(trust, path, &ret->description, now_ms, detail);
	if (ret->verdict == CERTS_OK && now_ms >= ret->until_ms)
		ret->verdict = CERTS_EXPIRED;
	return EXIT_DONE;
}

// The lists are as good as certificates for stopping everybody: past their date nobody is let in.
static void check_lists(const struct trust *trust, const char *directory, uint64_t now_ms, struct checked *ret)
{
	*ret = (struct checked){.path = directory, .kind = "revocation lists"};
	ret->until_ms = trust_crl_next_update_ms(trust);
	ret->verdict = now_ms >= ret->until_ms ? CERTS_CRL : CERTS_OK;
}

static json_t *value_of(const struct checked *checked)
{
	json_t *value = json_pack("{s:s, s:s, s:s, s:b}", "file", checked->path, "kind", checked->kind, "name",
				  checked->description.name, "holds", checked->verdict == CERTS_OK);
	json_object_set_new(value, "until", output_instant(checked->until_ms));
	if (checked->verdict != CERTS_OK)
		json_object_set_new(value, "why", json_string(certs_status_text(checked->verdict)));
	return value;
}

static void print_checked(const struct checked *checked, uint64_t now_ms)
{
	char until[17];
	output_english_time(checked->until_ms, until);
	printf("%s  %s%s%s (%s): ", until, checked->kind, checked->description.name[0] == '\0' ? "" : " ",
	       checked->description.name, checked->path);
	if (checked->verdict != CERTS_OK)
		puts(certs_status_text(checked->verdict));
	else
		printf("%llu days left\n", (unsigned long long)((checked->until_ms - now_ms) / DAY_MS));
}

// Only what needs somebody's hand, the most urgent first.
static int report(const struct command_line *line, struct checked *checked, size_t count, uint64_t days, uint64_t now_ms)
{
	int code = EXIT_DONE;
	json_t *list = json_array();
	qsort(checked, count, sizeof *checked, by_end);
	for (size_t i = 0; i < count; i++) {
		bool holds = checked[i].verdict == CERTS_OK;
		if (holds && checked[i].until_ms - now_ms > days * DAY_MS)
			continue;
		code = !holds || code == EXIT_REFUSED ? EXIT_REFUSED : EXIT_PARTIAL;
		if (line->json)
			json_array_append_new(list, value_of(&checked[i]));
		else
			print_checked(&checked[i], now_ms);
	}
	if (line->json)
		output_json(json_pack("{s:O, s:I}", "expiring", list, "checked", (json_int_t)count));
	else if (code == EXIT_DONE)
		printf("%zu checked, none ends within %llu days.\n", count, (unsigned long long)days);
	json_decref(list);
	return code;
}

int certs_check(const struct command_line *line)
{
	char detail[CERTS_DETAIL_BYTES];
	const char *bundle = command_value(line, "trust"), *text = command_value(line, "days");
	struct trust *trust = NULL;
	uint64_t days = DAYS_DEFAULT, now_ms = (uint64_t)time(NULL) * 1000;
	if (text != NULL && !command_number(text, 1, DAYS_MAX, &days))
		return command_usage_error(line, "--days is a number from 1 to %u", DAYS_MAX);
	if (bundle == NULL && line->operand_count == 0)
		return command_usage_error(line, "give certificates, or --trust, or both");
	if (bundle != NULL) {
		enum certs_status status = trust_load(bundle, &trust, detail);
		if (status != CERTS_OK)
			return certs_failure(status, detail);
	}
	size_t count = 0;
	int code = EXIT_DONE;
	struct checked *checked = calloc((size_t)line->operand_count + 1, sizeof *checked);
	if (checked == NULL) {
		fputs("cpis certs check: out of memory\n", stderr);
		code = EXIT_FAILED;
	}
	for (int i = 0; i < line->operand_count && code == EXIT_DONE; i++)
		code = check_file(trust, line->operands[i], now_ms, &checked[count++]);
	if (code == EXIT_DONE && trust != NULL)
		check_lists(trust, bundle, now_ms, &checked[count++]);
	if (code == EXIT_DONE)
		code = report(line, checked, count, days, now_ms);
	trust_free(trust);
	free(checked);
	return code;
}
