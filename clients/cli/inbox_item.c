// Inbox items for people and programs.
#include "clients/cli/inbox_item.h"

#include <stdio.h>

#include "clients/cli/output.h"

static unsigned long long number_of(uint64_t number)
{
	return (unsigned long long)number;
}

// ------------------------------------------------------------------ names from the descriptors

static const char *enum_name(const ProtobufCEnumDescriptor *descriptor, int value)
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(descriptor, value);
	return found == NULL ? "?" : found->name;
}

static const char *event_name(Cpis__V1__ProgressEvent event)
{
	return enum_name(&cpis__v1__progress_event__descriptor, (int)event);
}

static const char *subject_name(Cpis__V1__InboxSubject subject)
{
	return enum_name(&cpis__v1__inbox_subject__descriptor, (int)subject);
}

// ------------------------------------------------------------------ in words

static void print_plans(const Cpis__V1__PlanType *types, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("%s%s", i == 0 ? ", " : " and ", wire_plan_type_name(types[i]));
}

static void print_who(const char *what, const Cpis__V1__Access *access, const char *uid)
{
	char when[17], where[40];
	if (access == NULL)
		return;
	output_english_time(access->time_ms, when);
	printf("  %s %s by %s%s%s%s, %s\n  at %s (%s), %s", what, when, access->name, uid[0] == '\0' ? "" : " (", uid,
	       uid[0] == '\0' ? "" : ")", access->role_name, access->organisation_name, access->organisation,
	       output_care_setting(access->care_setting, where));
}

static void print_child(const char *nhs_number, const char *local_id)
{
	printf("  NHS number %s", nhs_number);
	if (local_id[0] != '\0')
		printf(", your id %s", local_id);
}

static void print_access(const Cpis__V1__AccessNotification *notification)
{
	print_child(notification->nhs_number, notification->local_id);
	print_plans(notification->plan_types, notification->n_plan_types);
	putchar('\n');
	print_who("viewed", notification->access, notification->uid);
	printf("; audit record %llu\n", number_of(notification->audit_index));
	if (notification->break_glass)
		puts("  the glass was broken for it");
	if (notification->reason[0] != '\0')
		printf("  reason given: %s\n", notification->reason);
}

static void print_digest(const Cpis__V1__AccessDigest *digest)
{
	char from[17], until[17];
	output_english_time(digest->from_ms, from);
	output_english_time(digest->until_ms, until);
	printf("  %zu views from %s to %s, none of them urgent:\n", digest->n_accesses, from, until);
	for (size_t i = 0; i < digest->n_accesses; i++)
		print_access(digest->accesses[i]);
}

static void print_correction(const Cpis__V1__CorrectionNotice *notice)
{
	printf("  NHS number %s: the %s record of %s that was seen was entered in error\n", notice->nhs_number,
	       wire_plan_type_name(notice->plan_type), notice->authority_name);
	print_who("seen", notice->access, "");
	printf("; audit record %llu\n", number_of(notice->audit_index));
}

static void print_plan_change(const Cpis__V1__PlanChangeNotice *notice)
{
	printf("  NHS number %s: what %s says has %s since it was seen; look again\n", notice->nhs_number, notice->authority_name,
	       notice->ended ? "ended" : "changed");
	print_who("seen", notice->access, "");
	printf("; audit record %llu\n", number_of(notice->audit_index));
}

static void print_publication(const Cpis__V1__PublicationReport *report)
{
	char when[17];
	output_english_time(report->committed_ms, when);
	printf("  file no. %u, %s: %u records, %u stored, %u rejected; %u new, %u changed, %u ended, %u withdrawn, %u unchanged, "
	       "%u vanished\n",
	       report->sequence, enum_name(&cpis__v1__file_outcome__descriptor, (int)report->outcome), report->received,
	       report->stored, report->rejected, report->created, report->changed, report->ended, report->withdrawn,
	       report->unchanged, report->vanished);
	printf("  released %s by %s; audit record %llu\n", when, report->released_by, number_of(report->audit_index));
}

static void print_not_brought(const Cpis__V1__NotBroughtNotice *notice)
{
	print_child(notice->nhs_number, notice->local_id);
	printf(": was not brought to the appointment of %s\n", notice->appointment_date);
	print_who("told", notice->sender, "");
	printf("; audit record %llu\n", number_of(notice->audit_index));
	if (notice->message_text[0] != '\0')
		printf("  %s\n", notice->message_text);
}

static void print_enquiry(const Cpis__V1__Enquiry *enquiry)
{
	printf("  enquiry %llu: %s of %s (%s) asks about NHS number %s\n", number_of(enquiry->enquiry_id), enquiry->asked_by,
	       enquiry->authority_name, enquiry->authority, enquiry->nhs_number);
	print_who("viewed", enquiry->access, "");
	printf("; audit record %llu\n  %s\n", number_of(enquiry->audit_index), enquiry->message_text);
	if (enquiry->telephone[0] != '\0')
		printf("  ring %s\n", enquiry->telephone);
}

static void print_answer(const Cpis__V1__EnquiryAnswer *answer)
{
	printf("  answer to enquiry %llu about NHS number %s: %s of %s (%s)\n  you asked: %s\n  %s\n",
	       number_of(answer->enquiry_id), answer->nhs_number, answer->answered_by, answer->organisation_name,
	       answer->organisation, answer->question, answer->message_text);
}

static void print_inactive(const Cpis__V1__InactiveNumberNotice *notice)
{
	print_child(notice->nhs_number, notice->local_id);
	print_plans(notice->plan_types, notice->n_plan_types);
	puts(": the number is no longer in use; plans under it are not shown any more");
}

static void print_progress(const Cpis__V1__ProgressNotice *notice)
{
	static const char *const words[] = {"?", "was handed over", "was read", "was acted on",
					    "was not acknowledged in time and has been escalated",
					    "was never acknowledged and is not offered any more"};
	static const char *const subjects[] = {"?", "the notification of the view in audit record", "enquiry", "the answer to enquiry",
					       "the missed appointment in audit record"};
	char when[17];
	bool of_enquiry = notice->enquiry_id != 0;
	output_english_time(notice->time_ms, when);
	printf("  %s %llu %s %s", (unsigned)notice->about < 5 ? subjects[notice->about] : "?",
	       number_of(of_enquiry ? notice->enquiry_id : notice->audit_index),
	       (unsigned)notice->event < 6 ? words[notice->event] : "?", when);
	if (notice->organisation[0] != '\0')
		printf(", at %s (%s)", notice->organisation_name, notice->organisation);
	printf("%s%s\n", notice->by[0] == '\0' ? "" : ", by ", notice->by);
}

static void print_nothing(const Cpis__V1__NothingToReport *nothing)
{
	char from[17], until[17];
	output_english_time(nothing->from_ms, from);
	output_english_time(nothing->until_ms, until);
	printf("  nothing to report from %s to %s\n", from, until);
}

static void print_state(const Cpis__V1__InboxItem *item)
{
	char when[17];
	if (item->acknowledged_ms != 0) {
		output_english_time(item->acknowledged_ms, when);
		printf("  acknowledged %s by %s%s", when, item->acknowledged_by,
		       item->settlement == CPIS__V1__SETTLEMENT__ACTED_ON ? ", acted on" : "");
	}
	if (item->leased_by[0] != '\0') {
		output_english_time(item->lease_until_ms, when);
		printf("  taken by %s until %s", item->leased_by, when);
	}
	if (item->escalated_ms != 0) {
		output_english_time(item->escalated_ms, when);
		printf("  escalated %s", when);
	}
	if (item->notification_id != 0)
		printf(" (no. %llu of the notifications)", number_of(item->notification_id));
	if (item->expired_ms != 0) {
		output_english_time(item->expired_ms, when);
		printf("  expired %s", when);
	}
}

void inbox_item_print(const Cpis__V1__InboxItem *item)
{
	printf("%llu", number_of(item->id));
	print_state(item);
	putchar('\n');
	switch (item->kind_case) {
	case CPIS__V1__INBOX_ITEM__KIND_ACCESS:
		print_access(item->access);
		break;
	case CPIS__V1__INBOX_ITEM__KIND_CORRECTION:
		print_correction(item->correction);
		break;
	case CPIS__V1__INBOX_ITEM__KIND_PLAN_CHANGE:
		print_plan_change(item->plan_change);
		break;
	case CPIS__V1__INBOX_ITEM__KIND_PUBLICATION:
		print_publication(item->publication);
		break;
	case CPIS__V1__INBOX_ITEM__KIND_NOT_BROUGHT:
		print_not_brought(item->not_brought);
		break;
	case CPIS__V1__INBOX_ITEM__KIND_ENQUIRY:
		print_enquiry(item->enquiry);
		break;
	case CPIS__V1__INBOX_ITEM__KIND_ANSWER:
		print_answer(item->answer);
		break;
	case CPIS__V1__INBOX_ITEM__KIND_INACTIVE_NUMBER:
		print_inactive(item->inactive_number);
		break;
	case CPIS__V1__INBOX_ITEM__KIND_PROGRESS:
		print_progress(item->progress);
		break;
	case CPIS__V1__INBOX_ITEM__KIND_DIGEST:
		print_digest(item->digest);
		break;
	case CPIS__V1__INBOX_ITEM__KIND_NOTHING:
		print_nothing(item->nothing);
		break;
	default:
		puts("  of a kind that this program does not know");
	}
}

// ------------------------------------------------------------------ as JSON

static void set_text(json_t *value, const char *key, const char *text)
{
	json_object_set_new(value, key, json_string(text));
}

static void set_number(json_t *value, const char *key, uint64_t number)
{
	json_object_set_new(value, key, json_integer((json_int_t)number));
}

static void set_access(json_t *value, const char *key, const Cpis__V1__Access *access)
{
	if (access != NULL)
		json_object_set_new(value, key, output_access(access));
}

static void set_plans(json_t *value, const Cpis__V1__PlanType *types, size_t count)
{
	json_t *names = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(names, json_string(wire_plan_type_name(types[i])));
	json_object_set_new(value, "plan_types", names);
}

static void add_access(json_t *value, const Cpis__V1__AccessNotification *access)
{
	set_text(value, "nhs_number", access->nhs_number);
	set_text(value, "local_id", access->local_id);
	set_plans(value, access->plan_types, access->n_plan_types);
	set_access(value, "access", access->access);
	set_text(value, "uid", access->uid);
	set_number(value, "audit_index", access->audit_index);
	json_object_set_new(value, "break_glass", json_boolean(access->break_glass));
	set_text(value, "reason", access->reason);
}

static void add_digest(json_t *value, const Cpis__V1__AccessDigest *digest)
{
	json_t *accesses = json_array();
	for (size_t i = 0; i < digest->n_accesses; i++) {
		json_t *access = json_object();
		add_access(access, digest->accesses[i]);
		json_array_append_new(accesses, access);
	}
	json_object_set_new(value, "from", output_instant(digest->from_ms));
	json_object_set_new(value, "until", output_instant(digest->until_ms));
	json_object_set_new(value, "accesses", accesses);
}

static void add_correction(json_t *value, const Cpis__V1__CorrectionNotice *notice)
{
	set_text(value, "nhs_number", notice->nhs_number);
	set_text(value, "plan_type", wire_plan_type_name(notice->plan_type));
	set_text(value, "authority", notice->authority);
	set_text(value, "authority_name", notice->authority_name);
	set_access(value, "access", notice->access);
	set_number(value, "audit_index", notice->audit_index);
}

static void add_plan_change(json_t *value, const Cpis__V1__PlanChangeNotice *notice)
{
	set_text(value, "nhs_number", notice->nhs_number);
	set_text(value, "authority", notice->authority);
	set_text(value, "authority_name", notice->authority_name);
	json_object_set_new(value, "ended", json_boolean(notice->ended));
	set_access(value, "access", notice->access);
	set_number(value, "audit_index", notice->audit_index);
}

static void add_publication(json_t *value, const Cpis__V1__PublicationReport *report)
{
	set_number(value, "sequence", report->sequence);
	set_text(value, "file_outcome", enum_name(&cpis__v1__file_outcome__descriptor, (int)report->outcome));
	set_number(value, "received", report->received);
	set_number(value, "stored", report->stored);
	set_number(value, "rejected", report->rejected);
	set_number(value, "created_count", report->created); // `created` is when the item was
	set_number(value, "changed", report->changed);
	set_number(value, "ended", report->ended);
	set_number(value, "withdrawn", report->withdrawn);
	set_number(value, "unchanged", report->unchanged);
	set_number(value, "vanished", report->vanished);
	json_object_set_new(value, "committed", output_instant(report->committed_ms));
	set_text(value, "released_by", report->released_by);
	set_number(value, "audit_index", report->audit_index);
}

static void add_not_brought(json_t *value, const Cpis__V1__NotBroughtNotice *notice)
{
	set_text(value, "nhs_number", notice->nhs_number);
	set_text(value, "local_id", notice->local_id);
	set_text(value, "appointment_date", notice->appointment_date);
	set_text(value, "message_text", notice->message_text);
	set_access(value, "sender", notice->sender);
	set_number(value, "audit_index", notice->audit_index);
}

static void add_enquiry(json_t *value, const Cpis__V1__Enquiry *enquiry)
{
	set_number(value, "enquiry_id", enquiry->enquiry_id);
	set_text(value, "nhs_number", enquiry->nhs_number);
	set_access(value, "access", enquiry->access);
	set_number(value, "audit_index", enquiry->audit_index);
	set_text(value, "authority", enquiry->authority);
	set_text(value, "authority_name", enquiry->authority_name);
	set_text(value, "asked_by", enquiry->asked_by);
	set_text(value, "telephone", enquiry->telephone);
	set_text(value, "message_text", enquiry->message_text);
}

static void add_answer(json_t *value, const Cpis__V1__EnquiryAnswer *answer)
{
	set_number(value, "enquiry_id", answer->enquiry_id);
	set_text(value, "nhs_number", answer->nhs_number);
	set_number(value, "audit_index", answer->audit_index);
	set_text(value, "organisation", answer->organisation);
	set_text(value, "organisation_name", answer->organisation_name);
	set_text(value, "answered_by", answer->answered_by);
	set_text(value, "question", answer->question);
	set_text(value, "message_text", answer->message_text);
}

static void add_progress(json_t *value, const Cpis__V1__ProgressNotice *notice)
{
	set_text(value, "event", event_name(notice->event));
	set_text(value, "about", subject_name(notice->about));
	set_text(value, "organisation", notice->organisation);
	set_text(value, "organisation_name", notice->organisation_name);
	set_text(value, "by", notice->by);
	json_object_set_new(value, "time", output_instant(notice->time_ms));
	set_number(value, "audit_index", notice->audit_index);
	set_number(value, "enquiry_id", notice->enquiry_id);
}

// Returns the kind's name.
static const char *add_kind(json_t *value, const Cpis__V1__InboxItem *item)
{
	switch (item->kind_case) {
	case CPIS__V1__INBOX_ITEM__KIND_ACCESS:
		add_access(value, item->access);
		return "ACCESS";
	case CPIS__V1__INBOX_ITEM__KIND_CORRECTION:
		add_correction(value, item->correction);
		return "CORRECTION";
	case CPIS__V1__INBOX_ITEM__KIND_PLAN_CHANGE:
		add_plan_change(value, item->plan_change);
		return "PLAN_CHANGE";
	case CPIS__V1__INBOX_ITEM__KIND_PUBLICATION:
		add_publication(value, item->publication);
		return "PUBLICATION";
	case CPIS__V1__INBOX_ITEM__KIND_NOT_BROUGHT:
		add_not_brought(value, item->not_brought);
		return "NOT_BROUGHT";
	case CPIS__V1__INBOX_ITEM__KIND_ENQUIRY:
		add_enquiry(value, item->enquiry);
		return "ENQUIRY";
	case CPIS__V1__INBOX_ITEM__KIND_ANSWER:
		add_answer(value, item->answer);
		return "ANSWER";
	case CPIS__V1__INBOX_ITEM__KIND_INACTIVE_NUMBER:
		set_text(value, "nhs_number", item->inactive_number->nhs_number);
		set_text(value, "local_id", item->inactive_number->local_id);
		set_plans(value, item->inactive_number->plan_types, item->inactive_number->n_plan_types);
		return "INACTIVE_NUMBER";
	case CPIS__V1__INBOX_ITEM__KIND_PROGRESS:
		add_progress(value, item->progress);
		return "PROGRESS";
	case CPIS__V1__INBOX_ITEM__KIND_DIGEST:
		add_digest(value, item->digest);
		return "DIGEST";
	case CPIS__V1__INBOX_ITEM__KIND_NOTHING:
		json_object_set_new(value, "from", output_instant(item->nothing->from_ms));
		json_object_set_new(value, "until", output_instant(item->nothing->until_ms));
		return "NOTHING";
	default:
		return "UNKNOWN";
	}
}

json_t *inbox_item_value(const Cpis__V1__InboxItem *item)
{
	json_t *value = json_pack("{s:I}", "id", (json_int_t)item->id);
	json_object_set_new(value, "created", output_instant(item->created_ms));
	json_object_set_new(value, "acknowledged", output_instant(item->acknowledged_ms));
	if (item->acknowledged_ms != 0) {
		set_text(value, "acknowledged_by", item->acknowledged_by);
		set_text(value, "settlement", item->settlement == CPIS__V1__SETTLEMENT__ACTED_ON ? "ACTED_ON" : "SEEN");
	}
	if (item->leased_by[0] != '\0') {
		set_text(value, "leased_by", item->leased_by);
		json_object_set_new(value, "lease_until", output_instant(item->lease_until_ms));
	}
	if (item->escalated_ms != 0)
		json_object_set_new(value, "escalated", output_instant(item->escalated_ms));
	if (item->notification_id != 0)
		set_number(value, "notification_id", item->notification_id);
	if (item->expired_ms != 0)
		json_object_set_new(value, "expired", output_instant(item->expired_ms));
	set_text(value, "kind", add_kind(value, item));
	return value;
}
