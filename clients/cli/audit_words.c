// Words for audit records.
#include "clients/cli/audit_words.h"

#include <stdio.h>
#include <string.h>

#include "clients/cli/output.h"
#include "proto/date.h"
#include "proto/text.h"

const char *audit_words_operation(Cpis__V1__Operation operation)
{
	switch (operation) {
	case CPIS__V1__OPERATION__OPERATION_UNSPECIFIED:
		return "sent something that could not be read";
	case CPIS__V1__OPERATION__SESSION_OPEN:
		return "signed in";
	case CPIS__V1__OPERATION__FLAG:
		return "asked whether the child is known to children's social care";
	case CPIS__V1__OPERATION__DETAILS:
		return "opened the details that children's social care holds about the child";
	case CPIS__V1__OPERATION__NOT_BROUGHT_SEND:
		return "told children's social care that the child was not brought to an appointment";
	case CPIS__V1__OPERATION__PUBLISH:
		return "published plans";
	case CPIS__V1__OPERATION__INBOX_LIST:
		return "read the inbox";
	case CPIS__V1__OPERATION__INBOX_ACKNOWLEDGE:
		return "acknowledged notifications";
	case CPIS__V1__OPERATION__AUDIT_SEARCH:
		return "searched the log of who looked";
	case CPIS__V1__OPERATION__AUDIT_SHOW:
		return "read one record of the log of who looked";
	case CPIS__V1__OPERATION__ALERT_REVIEW:
		return "reviewed an alert";
	case CPIS__V1__OPERATION__HANDSHAKE:
		return "connections that were not let in";
	case CPIS__V1__OPERATION__RESTORED:
		return "put the service's records back from a backup; what came after it is not here";
	default:
		return NULL;
	}
}

void audit_words_id(ProtobufCBinaryData id, char out[33])
{
	out[0] = '\0';
	for (size_t i = 0; i < id.len && i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", id.data[i]);
}

// The operation in words, or else its name as one writes it.
static const char *operation_words(Cpis__V1__Operation operation, char out[64])
{
	const char *words = audit_words_operation(operation);
	if (words != NULL)
		return words;
	text_lower_case(wire_operation_name(operation), out, 64);
	for (char *c = out; *c != '\0'; c++)
		*c = *c == '_' ? ' ' : *c;
	return out;
}

// ------------------------------------------------------------------ in a list

void audit_words_print(const Cpis__V1__AuditEntry *entry)
{
	const Cpis__V1__AuditDetail *detail = entry->detail;
	char when[25];
	instant_format(entry->time_ms, when);
	printf("%6llu  %s  %-17s %s%s%s%s", (unsigned long long)entry->index, when,
	       wire_operation_name(entry->operation), wire_outcome_name(entry->outcome),
	       entry->reason_code[0] == '\0' ? "" : " (", entry->reason_code,
	       entry->reason_code[0] == '\0' ? "" : ")");
	if (detail != NULL && detail->nhs_number[0] != '\0')
		printf("  NHS number %s", detail->nhs_number);
	if (detail != NULL && detail->target[0] != '\0')
		printf("  %s", detail->target);
	printf("\n        ");
	if (entry->erased)
		printf("ERASED: who did it, and about whom, nobody can read any more; ");
	if (detail != NULL && detail->uid[0] != '\0')
		printf("%s (%s), %s, ", detail->name, detail->uid,
		       detail->role_name[0] != '\0' ? detail->role_name : detail->role_code);
	printf("%s %s", entry->organisation[0] != '\0' ? entry->organisation : "unknown system", entry->system_name);
	if (detail != NULL && entry->operation == CPIS__V1__OPERATION__DETAILS &&
	    entry->outcome == CPIS__V1__OUTCOME__OK)
		printf("%s", detail->notified ? ", authorities told" : ", nobody told");
	if (detail != NULL && detail->break_glass)
		printf(", GLASS BROKEN");
	if (detail != NULL && detail->reason[0] != '\0')
		printf("\n        %s", detail->reason);
	if (detail != NULL && detail->stated_reason[0] != '\0')
		printf("\n        reason given: %s", detail->stated_reason);
	if (detail != NULL && detail->rule[0] != '\0')
		printf("\n        by the rule: %s", detail->rule);
	putchar('\n');
}

// ------------------------------------------------------------------ in full

static void print_line(const char *label, const char *value)
{
	if (value[0] != '\0')
		printf("  %-18s %s\n", label, value);
}

static void print_bytes(const char *label, ProtobufCBinaryData bytes)
{
	if (bytes.len == 0)
		return;
	printf("  %-18s ", label);
	for (size_t i = 0; i < bytes.len && i < 64; i++)
		printf("%02x", bytes.data[i]);
	putchar('\n');
}

static void print_instant(const char *label, uint64_t time_ms)
{
	char english[17], utc[25];
	if (time_ms == 0)
		return;
	output_english_time(time_ms, english);
	instant_format(time_ms, utc);
	printf("  %-18s %s in England (%s)\n", label, english, utc);
}

static const char *yes_no(Cpis__V1__YesNo value)
{
	return value == CPIS__V1__YES_NO__YES ? "yes" : value == CPIS__V1__YES_NO__NO ? "no" : "";
}

static void print_search(const Cpis__V1__AuditSearchRequest *search)
{
	static const char *const decisions[] = {"", "allowed", "refused"};
	char setting[40];
	puts("  What was searched for:");
	if (search->report != 0)
		print_line("  for the report", wire_audit_report_name(search->report));
	print_line("  child", search->nhs_number);
	print_line("  member of staff", search->uid);
	print_line("  organisation", search->organisation);
	print_line("  system", search->system_name);
	if (search->care_setting != 0)
		print_line("  care setting", output_care_setting(search->care_setting, setting));
	print_line("  role", search->role_code);
	if (search->operation != 0)
		print_line("  operation", wire_operation_name(search->operation));
	if ((unsigned)search->decision < sizeof decisions / sizeof decisions[0])
		print_line("  decision", decisions[search->decision]);
	if (search->outcome != 0)
		print_line("  outcome", wire_outcome_name(search->outcome));
	print_line("  reason code", search->reason_code);
	print_bytes("  request", search->request_id);
	print_bytes("  session", search->session_id);
	print_bytes("  trace", search->trace_id);
	print_line("  glass broken", yes_no(search->break_glass));
	print_line("  notified", yes_no(search->notified));
	print_instant("  from", search->from_ms);
	print_instant("  until", search->until_ms);
}

static void print_person(const Cpis__V1__AuditDetail *detail)
{
	char setting[40];
	print_line("who", detail->uid[0] == '\0' ? "nobody had signed in" : detail->name);
	print_line("staff id", detail->uid);
	print_line("role", detail->role_name);
	print_line("role code", detail->role_code);
	if (detail->care_setting != 0)
		print_line("care setting", output_care_setting(detail->care_setting, setting));
	print_bytes("staff certificate", detail->staff_certificate_serial);
	print_bytes("session", detail->session_id);
}

// How the person showed who they are.
static void print_proof(const Cpis__V1__AuditDetail *detail)
{
	static const char *const proofs[] = {"", "their own key's signature", "a passkey", "a browser with their certificate",
					     "an identity provider's token"};
	if ((unsigned)detail->proof < sizeof proofs / sizeof proofs[0])
		print_line("proven by", proofs[detail->proof]);
	print_line("identity provider", detail->token_issuer);
	print_bytes("its token, SHA-256", detail->token_sha256);
	print_bytes("signed, SHA-256", detail->act_sha256);
	print_bytes("signature", detail->act_signature);
	if (detail->act_browser_proof != NULL)
		print_line("browser's proof", "kept whole: --json has it");
	print_bytes("handshake, SHA-256", detail->proof_sha256);
}

static void print_detail(const Cpis__V1__AuditEntry *entry)
{
	const Cpis__V1__AuditDetail *detail = entry->detail;
	print_line("child", detail->nhs_number);
	print_line("caller's request", detail->caller_request_id);
	print_line("caller's correlation", detail->caller_correlation_id);
	print_line("about", detail->target);
	print_line("searched for", detail->filter_uid);
	if (detail->access_type != 0)
		print_line("kind of look", detail->access_type == CPIS__V1__ACCESS_TYPE__SCHEDULED ? "planned" : "unscheduled");
	if (entry->operation == CPIS__V1__OPERATION__DETAILS && entry->outcome == CPIS__V1__OUTCOME__OK)
		print_line("told", detail->notified ? "the authorities whose plans were shown" : "nobody");
	if (detail->break_glass)
		print_line("glass", "GLASS BROKEN");
	print_line("reason given", detail->stated_reason);
	print_line("message", detail->message_text);
	for (size_t i = 0; i < detail->n_findings; i++)
		printf("  FOUND by %s: %s\n", detail->findings[i]->rule, detail->findings[i]->words);
	if (detail->count != 0)
		printf("  %-18s %u\n", "count", detail->count);
	if (detail->search != NULL)
		print_search(detail->search);
	print_proof(detail);
}

void audit_words_print_all(const Cpis__V1__AuditEntry *entry)
{
	const Cpis__V1__AuditDetail *detail = entry->detail;
	char words[64], result[120];
	snprintf(result, sizeof result, "%s%s%s%s", entry->outcome == CPIS__V1__OUTCOME__OK ? "done" : "refused, ",
		 entry->outcome == CPIS__V1__OUTCOME__OK ? "" : wire_outcome_name(entry->outcome),
		 entry->reason_code[0] == '\0' ? "" : ": ", entry->reason_code);
	printf("Record %llu of the audit log\n", (unsigned long long)entry->index);
	print_instant("when", entry->time_ms);
	print_line("what", operation_words(entry->operation, words));
	print_line("operation", wire_operation_name(entry->operation));
	print_line("outcome", result);
	print_line("explained", detail->reason);
	print_line("by the rule", detail->rule);
	print_person(detail);
	print_line("organisation", entry->organisation[0] == '\0' ? "a system that nobody knows" : entry->organisation);
	print_line("its name then", detail->organisation_name);
	print_line("system", entry->system_name);
	print_bytes("system certificate", detail->system_certificate_serial);
	print_detail(entry);
	print_bytes("request", entry->request_id);
	print_bytes("trace", detail->trace_id);
	print_bytes("called from span", detail->trace_parent_id);
	print_line("policy", entry->policy_version);
}

// ------------------------------------------------------------------ for the family

static void print_what_became(const Cpis__V1__AuditEntry *entry)
{
	const Cpis__V1__AuditDetail *detail = entry->detail;
	if (entry->outcome != CPIS__V1__OUTCOME__OK)
		puts("    This was refused, and nothing was shown.");
	if (entry->outcome == CPIS__V1__OUTCOME__OK && detail->notified)
		puts("    The local authority was told of it.");
	if (detail->break_glass)
		puts("    The usual limits were set aside because it was said to be an emergency. This is looked into each time.");
	if (detail->stated_reason[0] != '\0')
		printf("    The reason that was given: %s\n", detail->stated_reason);
}

void audit_words_print_plain(const Cpis__V1__AuditEntry *entry)
{
	const Cpis__V1__AuditDetail *detail = entry->detail;
	char when[17], setting[40], words[64];
	bool refused = entry->outcome != CPIS__V1__OUTCOME__OK;
	output_english_time(entry->time_ms, when);
	printf("%s  ", when);
	if (detail->name[0] != '\0')
		printf("%s%s%s", detail->name, detail->role_name[0] == '\0' ? "" : ", ", detail->role_name);
	else
		printf("Somebody who had not signed in");
	if (entry->organisation[0] != '\0')
		printf(", %s", detail->organisation_name[0] != '\0' ? detail->organisation_name : entry->organisation);
	if (detail->care_setting != 0)
		printf(" (%s)", output_care_setting(detail->care_setting, setting));
	printf(", %s%s.\n", operation_words(entry->operation, words), refused ? ", and was refused" : "");
	print_what_became(entry);
}
