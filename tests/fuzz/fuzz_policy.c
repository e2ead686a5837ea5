// Policies: the shipped one with changes, a small one with changes, any text. What loads can be asked anything, compared, explained,
// and loads again from its own text.
#include <string.h>

#include "broker/policy.h"
#include "proto/text.h"
#include "proto/wire.h"
#include "tests/fuzz/edit.h"

static const char small[] =
	"name: small\n"
	"activities:\n"
	"  - {code: B0107, name: View}\n"
	"  - {code: B0170, name: Silent, silent: true}\n"
	"  - {code: L0104, name: Break, break_glass: true}\n"
	"  - {code: L0302, name: Load}\n"
	"roles:\n"
	"  - {code: R8001, name: Nurse, activities: [B0107], hours: 08:00-18:00, days: weekdays}\n"
	"  - {code: R8002, name: Manager, activities: [B0107, L0104], reason: required}\n"
	"  - {code: R5080, name: Registrar, activities: [L0302], hours: 22:00-06:00}\n"
	"care_settings:\n"
	"  - {name: emergency_department, scheduled: false}\n"
	"  - {name: school_nursing, scheduled: true}\n"
	"operations:\n"
	"  - {name: ping}\n"
	"  - {name: session_open}\n"
	"  - {name: flag, activities: [B0107], organisation_types: [care_provider], care_setting: required, session_minutes: 60}\n"
	"  - {name: details, activities: [B0107, B0170], organisation_types: [care_provider], care_setting: required, break_glass: allowed,\n"
	"     person_per_minute: 30, system_per_minute: 600}\n"
	"  - {name: policy_load, activities: [L0302], organisation_types: [national_body], signature: required}\n"
	"detection:\n"
	"  - {rule: volume, window_minutes: 60, children: 30, times: 4, peers: 50, alone: 40, severity: medium}\n"
	"  - {rule: enumeration, window_minutes: 60, numbers: 5, span: 100, severity: high, quarantine: true, quarantine_minutes: 60}\n"
	"  - {rule: no_match, window_minutes: 60, looks: 10, percent: 90, invalid: 6, severity: low}\n"
	"  - {rule: no_attendance_reason, window_minutes: 720, looks: 5, times: 6, percent: 80, peers: 50, severity: low}\n"
	"  - {rule: outside_hours, window_minutes: 720, looks: 1, hours: 06:00-22:00, days: weekdays, care_settings: [school_nursing], severity: low}\n"
	"  - {rule: far_settings, window_minutes: 20, km: 80, care_settings: [emergency_department], severity: medium}\n"
	"  - {rule: dormant, window_minutes: 1440, asleep_days: 60, severity: low}\n"
	"  - {rule: own_household, window_minutes: 1440, severity: high}\n"
	"  - {rule: denied_then_allowed, window_minutes: 60, denials: 3, severity: medium}\n"
	"  - {rule: system_rate, window_minutes: 10, requests: 150, times: 3, severity: high}\n"
	"sampling: {per_thousand: 5}\n"
	"retention: {child_months: 312, staff_months: 96, service_months: 24}\n"
	"examples:\n"
	"  - {organisation_type: care_provider, operation: details, role: R8001, care_setting: emergency_department, decision: notifies}\n";
static const char *const words[] = {"R8001", "R8002", "B0107", "B0170", "L0104", "details", "flag", "publish", "inbox_take", "silent",
				    "break_glass", "reason", "hours", "days", "every_day", "weekdays", "24:00-00:00", "00:00-24:00", "25:00-26:00",
				    "local_authority", "national_body", "emergency_department", "maternity", "notifies", "allowed",
				    "role_lacks_activity", "scheduled", "721", "1000001", "1201", "11", "quarantine", NULL};

static const char *shipped;
static size_t shipped_bytes;
static struct policy *standard;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char detail[POLICY_DETAIL_BYTES];
	(void)argc, (void)argv;
	shipped = edit_source("broker/policy.yaml", &shipped_bytes);
	FUZZ_MUST(policy_read((const uint8_t *)shipped, shipped_bytes, "shipped", &standard, detail));
	struct policy *policy = NULL;
	if (!policy_read((const uint8_t *)small, sizeof small - 1, "small", &policy, detail))
		fprintf(stderr, "%s\n", detail);
	FUZZ_MUST(policy != NULL);
	policy_free(policy);
	return 0;
}

static void take_sentence(void *context, const char *sentence)
{
	FUZZ_MUST(text_is_clean(sentence, strlen(sentence)));
	*(size_t *)context += strlen(sentence);
}

static void ask(const struct policy *policy, struct fuzz_input *input)
{
	static const char *const roles[] = {"R8001", "R8002", "R9535", "R5080", "R0001", "R9999"};
	struct policy_step steps[POLICY_STEPS_MAX];
	struct policy_question question = {
		.operation = (Cpis__V1__Operation)(fuzz_byte(input) % 60),
		.organisation_type = fuzz_byte(input) % ORGANISATION_TYPES,
		.role_code = roles[fuzz_byte(input) % 6],
		.organisation_care_settings = fuzz_number(input, 3),
		.care_setting = (Cpis__V1__CareSetting)(fuzz_byte(input) % 20),
		.access_type = (Cpis__V1__AccessType)(fuzz_byte(input) % 3),
		.reason_stated = fuzz_byte(input) & 1,
		.break_glass = fuzz_byte(input) & 1,
		.session_age_ms = fuzz_number(input, 4),
		.now_ms = 1792488600000u + fuzz_number(input, 4),
	};
	size_t count = 0;
	char text[POLICY_RULE_BYTES];
	if ((fuzz_byte(input) & 1) != 0 && !policy_activity(policy, "B0170", &question.additional))
		question.additional = (struct activity_set){{0}};
	struct policy_decision decision = policy_decide(policy, &question);
	struct policy_decision explained = policy_explain(policy, &question, steps, &count);
	FUZZ_MUST(decision.reason == explained.reason && decision.notify == explained.notify && count <= POLICY_STEPS_MAX);
	// Broken glass is never silent.
	FUZZ_MUST(decision.reason != REASON_NONE || !decision.break_glass || decision.notify);
	policy_rule_text(policy, &question, &decision, text);
	policy_decision_word(question.operation, &decision);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = fuzz_input(data, bytes);
	struct policy *policy = NULL, *again = NULL;
	char detail[POLICY_DETAIL_BYTES] = "", *text = NULL;
	size_t text_bytes, said = 0, again_bytes;
	uint8_t how = fuzz_byte(&input);
	if (how % 4 == 3) {
		const uint8_t *raw = fuzz_take(&input, fuzz_left(&input), &text_bytes);
		text = malloc(text_bytes + 1);
		FUZZ_MUST(text != NULL);
		memcpy(text, raw, text_bytes);
	} else {
		text = how % 4 == 1 ? edit_text(&input, shipped, shipped_bytes, words, &text_bytes)
				    : edit_text(&input, small, sizeof small - 1, words, &text_bytes);
	}
	if (policy_read((const uint8_t *)text, text_bytes, "policy", &policy, detail)) {
		ask(policy, &input);
		policy_review(policy, take_sentence, &said);
		policy_can_be_replaced(policy);
		// What a broker hands out loads at the next one.
		const uint8_t *own = policy_text(policy, &again_bytes);
		FUZZ_MUST(policy_read(own, again_bytes, "again", &again, detail));
		FUZZ_MUST(strcmp(policy_version(policy), policy_version(again)) == 0);
		if (how % 16 <= 1)
			FUZZ_MUST((policy_compare(standard, policy, take_sentence, &said) == 0) ==
				  (policy_compare(policy, standard, take_sentence, &said) == 0));
	} else {
		FUZZ_MUST(detail[0] != '\0' && text_is_clean(detail, strlen(detail)));
	}
	policy_free(again);
	policy_free(policy);
	free(text);
	return 0;
}
