// Counting audit records.
#include "clients/cli/audit_counts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/csv_write.h"
#include "clients/cli/output.h"
#include "proto/date.h"

void audit_counts_init(struct audit_counts *counts)
{
	*counts = (struct audit_counts){.people = json_object(), .children = json_object(), .groups = json_object()};
}

void audit_counts_done(struct audit_counts *counts)
{
	json_decref(counts->people);
	json_decref(counts->children);
	json_decref(counts->groups);
}

// ------------------------------------------------------------------ taking

// The object under this key, made where there is none.
static json_t *under(json_t *object, const char *key)
{
	json_t *found = json_object_get(object, key);
	if (found == NULL) {
		found = json_object();
		json_object_set_new(object, key, found);
	}
	return found;
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void add(json_t *object, const char *key, json_int_t more)
{
	json_object_set_new(object, key, json_integer(number(object, key) + more));
}

static void take_person(struct audit_counts *counts, const Cpis__V1__AuditEntry *entry)
{
	const Cpis__V1__AuditDetail *detail = entry->detail;
	bool refused = entry->outcome != CPIS__V1__OUTCOME__OK;
	char key[80];
	snprintf(key, sizeof key, "%.12s %.12s %.12s", detail->uid, entry->organisation, detail->role_code);
	json_t *person = under(counts->people, key);
	if (json_object_size(person) == 0) {
		json_object_set_new(person, "uid", json_string(detail->uid));
		json_object_set_new(person, "name", json_string(detail->name));
		json_object_set_new(person, "role_code", json_string(detail->role_code));
		json_object_set_new(person, "role_name", json_string(detail->role_name));
		json_object_set_new(person, "organisation", json_string(entry->organisation));
	}
	add(person, "records", 1);
	add(person, "refused", refused);
	json_t *numbers = under(person, "numbers");
	if (detail->nhs_number[0] == '\0')
		return;
	json_t *child = under(numbers, detail->nhs_number);
	add(child, "looks", 1);
	add(child, "refused", refused);
	if (json_object_get(child, "first_ms") == NULL)
		json_object_set_new(child, "first_ms", json_integer((json_int_t)entry->time_ms));
	json_object_set_new(child, "last_ms", json_integer((json_int_t)entry->time_ms));
}

static void take_group(struct audit_counts *counts, const char *group, const char *value)
{
	if (value[0] != '\0')
		add(under(counts->groups, group), value, 1);
}

void audit_counts_take(struct audit_counts *counts, const Cpis__V1__AuditEntry *entry)
{
	const Cpis__V1__AuditDetail *detail = entry->detail;
	bool done = entry->outcome == CPIS__V1__OUTCOME__OK;
	counts->records++;
	counts->allowed += done;
	counts->refused += !done;
	counts->break_glass += detail->break_glass != 0;
	counts->notified += detail->notified != 0;
	counts->silent += done && entry->operation == CPIS__V1__OPERATION__DETAILS &&
			  detail->access_type == CPIS__V1__ACCESS_TYPE__SCHEDULED;
	take_person(counts, entry);
	if (detail->nhs_number[0] != '\0')
		json_object_set_new(counts->children, detail->nhs_number, json_true());
	take_group(counts, "operation", wire_operation_name(entry->operation));
	take_group(counts, "role", detail->role_name[0] != '\0' ? detail->role_name : detail->role_code);
	take_group(counts, "care_setting", detail->care_setting == 0 ? "" : wire_care_setting_name(detail->care_setting));
	take_group(counts, "outcome", wire_outcome_name(entry->outcome));
	take_group(counts, "refused_because", entry->reason_code);
}

// ------------------------------------------------------------------ enquiries

static size_t numbers_of(const json_t *person)
{
	return json_object_size(json_object_get(person, "numbers"));
}

static int by_numbers(const void *left, const void *right)
{
	const json_t *a = *(json_t *const *)left, *b = *(json_t *const *)right;
	if (numbers_of(a) != numbers_of(b))
		return numbers_of(a) > numbers_of(b) ? -1 : 1;
	return strcmp(json_string_value(json_object_get(a, "uid")), json_string_value(json_object_get(b, "uid")));
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

// All people, for the caller to free.
static json_t **in_order(const struct audit_counts *counts)
{
	size_t count = json_object_size(counts->people), at = 0;
	json_t **people = calloc(count + 1, sizeof *people), *person;
	const char *key;
	if (people == NULL)
		abort();
	json_object_foreach(counts->people, key, person)
		people[at++] = person;
	qsort(people, count, sizeof *people, by_numbers);
	return people;
}

size_t audit_counts_first_people(const struct audit_counts *counts, struct audit_counted_person *ret, size_t max)
{
	size_t count = json_object_size(counts->people);
	json_t **people = in_order(counts);
	count = count < max ? count : max;
	for (size_t i = 0; i < count; i++)
		ret[i] = (struct audit_counted_person){
			.uid = text_of(people[i], "uid"),
			.name = text_of(people[i], "name"),
			.role_name = text_of(people[i], "role_name"),
			.organisation = text_of(people[i], "organisation"),
			.children = numbers_of(people[i]),
			.records = (uint64_t)number(people[i], "records"),
			.refused = (uint64_t)number(people[i], "refused"),
		};
	free(people);
	return count;
}

size_t audit_counts_children(const struct audit_counts *counts)
{
	return json_object_size(counts->children);
}

static void print_person(json_t *person)
{
	const char *nhs_number;
	json_t *child;
	const char *name = text_of(person, "name");
	printf("%s%s%s%s%s, %s: %zu children, %lld requests, %lld of them refused\n", name[0] == '\0' ? "nobody signed in" : name,
	       name[0] == '\0' ? "" : " (", text_of(person, "uid"), name[0] == '\0' ? "" : "), ", text_of(person, "role_name"),
	       text_of(person, "organisation"), numbers_of(person), (long long)number(person, "records"),
	       (long long)number(person, "refused"));
	json_object_foreach(json_object_get(person, "numbers"), nhs_number, child) {
		char first[17], last[17];
		output_english_time((uint64_t)number(child, "first_ms"), first);
		output_english_time((uint64_t)number(child, "last_ms"), last);
		printf("    %s  %4lld times  first %s, last %s\n", nhs_number, (long long)number(child, "looks"), first, last);
	}
}

static void write_person_rows(json_t *person)
{
	const char *nhs_number;
	json_t *child;
	json_object_foreach(json_object_get(person, "numbers"), nhs_number, child) {
		char looks[24], refused[24], first[25], last[25];
		snprintf(looks, sizeof looks, "%lld", (long long)number(child, "looks"));
		snprintf(refused, sizeof refused, "%lld", (long long)number(child, "refused"));
		instant_format((uint64_t)number(child, "first_ms"), first);
		instant_format((uint64_t)number(child, "last_ms"), last);
		const char *const cells[] = {text_of(person, "uid"), text_of(person, "name"), text_of(person, "role_code"),
					     text_of(person, "role_name"), text_of(person, "organisation"), nhs_number, looks, refused,
					     first, last, NULL};
		csv_write_row(cells);
	}
}

// In JSON, numbers are a list and times are in words.
static json_t *person_value(json_t *person)
{
	json_t *value = json_copy(person), *numbers = json_array(), *child;
	const char *nhs_number;
	json_object_foreach(json_object_get(person, "numbers"), nhs_number, child) {
		json_t *one = json_pack("{s:s, s:I, s:I}", "nhs_number", nhs_number, "looks", number(child, "looks"), "refused",
					number(child, "refused"));
		json_object_set_new(one, "first", output_instant((uint64_t)number(child, "first_ms")));
		json_object_set_new(one, "last", output_instant((uint64_t)number(child, "last_ms")));
		json_array_append_new(numbers, one);
	}
	json_object_set_new(value, "numbers", numbers);
	return value;
}

void audit_counts_print_enquiries(const struct audit_counts *counts, enum audit_format format)
{
	static const char *const header[] = {"uid", "name", "role_code", "role_name", "organisation", "nhs_number", "looks", "refused",
					     "first", "last", NULL};
	size_t count = json_object_size(counts->people);
	json_t **people = in_order(counts), *list = json_array();
	if (format == AUDIT_FORMAT_CSV)
		csv_write_row(header);
	for (size_t i = 0; i < count; i++) {
		if (format == AUDIT_FORMAT_JSON)
			json_array_append_new(list, person_value(people[i]));
		else if (format == AUDIT_FORMAT_CSV)
			write_person_rows(people[i]);
		else
			print_person(people[i]);
	}
	if (format == AUDIT_FORMAT_JSON)
		output_json(json_pack("{s:s, s:O}", "report", "enquiries", "people", list));
	else if (format == AUDIT_FORMAT_TEXT)
		printf("In all: %zu people, %zu children.\n", count, json_object_size(counts->children));
	json_decref(list);
	free(people);
}

// ------------------------------------------------------------------ totals

void audit_counts_each(const struct audit_counts *counts,
		       void (*take)(void *context, const char *group, const char *value, uint64_t count), void *context)
{
	const char *group, *value;
	json_t *values, *count;
	json_object_foreach(counts->groups, group, values)
		json_object_foreach(values, value, count)
			take(context, group, value, (uint64_t)json_integer_value(count));
}

static json_t *totals_of(const struct audit_counts *counts)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "records", (json_int_t)counts->records, "allowed",
			 (json_int_t)counts->allowed, "refused", (json_int_t)counts->refused, "people",
			 (json_int_t)json_object_size(counts->people), "children", (json_int_t)json_object_size(counts->children),
			 "break_glass", (json_int_t)counts->break_glass, "notified", (json_int_t)counts->notified, "silent",
			 (json_int_t)counts->silent);
}

static void print_group(const char *group, json_t *values, enum audit_format format)
{
	const char *value;
	json_t *count;
	if (format == AUDIT_FORMAT_TEXT)
		puts(group);
	json_object_foreach(values, value, count) {
		char text[24];
		snprintf(text, sizeof text, "%lld", (long long)json_integer_value(count));
		if (format == AUDIT_FORMAT_TEXT)
			printf("  %-36s %8s\n", value, text);
		else
			csv_write_row((const char *const[]){group, value, text, NULL});
	}
}

void audit_counts_print_totals(const struct audit_counts *counts, const char *report, enum audit_format format)
{
	const char *group;
	json_t *values, *totals = totals_of(counts);
	if (format == AUDIT_FORMAT_JSON) {
		output_json(json_pack("{s:s, s:O, s:O}", "report", report, "totals", totals, "by", counts->groups));
	} else {
		if (format == AUDIT_FORMAT_CSV)
			csv_write_row((const char *const[]){"group", "value", "count", NULL});
		print_group("total", totals, format);
		json_object_foreach(counts->groups, group, values)
			print_group(group, values, format);
	}
	json_decref(totals);
}
