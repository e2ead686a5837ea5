// EXPLAIN: may this person do this here, and why? The steps that a request of theirs would go through, and the same
// decision at their end.
#include <string.h>

#include "broker/op.h"

struct explanation {
	struct op_context *context;
	Cpis__V1__ExplainReply *reply;
};

static bool add_step(struct explanation *explanation, const char *rule, bool holds, const char *text)
{
	struct op_context *context = explanation->context;
	Cpis__V1__ExplainReply *reply = explanation->reply;
	Cpis__V1__ExplainStep *step = OP_NEW(context, Cpis__V1__ExplainStep, cpis__v1__explain_step__init);
	if (step == NULL || reply->n_steps == EXPLAIN_STEPS_MAX)
		return false;
	step->rule = arena_copy_text(context->arena, rule, strlen(rule));
	step->text = arena_copy_text(context->arena, text, strlen(text));
	step->holds = holds;
	reply->steps[reply->n_steps++] = step;
	return step->rule != NULL && step->text != NULL;
}

static enum reason decided(struct explanation *explanation, const char *rule, enum reason reason)
{
	Cpis__V1__ExplainReply *reply = explanation->reply;
	reply->decision = op_text(reason_word(reason));
	reply->reason = op_text(reason_sentence(reason));
	reply->rule = op_text(rule);
	return add_step(explanation, rule, false, reason_sentence(reason)) ? REASON_NONE : REASON_INTERNAL;
}

// What stands before the policy: the organisation, the person's profile, quarantine. REASON_INTERNAL: the arena is full;
// `*ret_go_on`: nothing has refused yet.
static enum reason explain_person(struct explanation *explanation, const struct organisation *organisation, uint64_t at_ms,
				  const struct role_profile **ret_profile, bool *ret_go_on)
{
	struct op_context *context = explanation->context;
	const Cpis__V1__ExplainRequest *request = context->request->explain;
	const struct certificate_serial none = {.bytes_count = 0};
	*ret_go_on = false;
	if (organisation == NULL)
		return decided(explanation, "organisations", REASON_ORGANISATION_UNKNOWN);
	if (!add_step(explanation, "organisations", true, "The organisation is in the register."))
		return REASON_INTERNAL;
	*ret_profile = roles_find(context->roles, context->snapshot, request->uid, request->role_code, &organisation->ods, at_ms);
	if (*ret_profile == NULL)
		return decided(explanation, "role_profiles", REASON_PROFILE);
	if (!add_step(explanation, "role_profiles", true, "The person holds this role profile then."))
		return REASON_INTERNAL;
	if (quarantine_holds_person(context->quarantine, request->uid, &none, at_ms))
		return decided(explanation, "quarantine", REASON_PERSON_QUARANTINED);
	*ret_go_on = add_step(explanation, "quarantine", true,
			      "The person is not quarantined (certificates and systems are not asked about here).");
	return *ret_go_on ? REASON_NONE : REASON_INTERNAL;
}

static enum reason explain_policy(struct explanation *explanation, const struct organisation *organisation,
				  const struct role_profile *profile, uint64_t at_ms)
{
	struct op_context *context = explanation->context;
	const Cpis__V1__ExplainRequest *request = context->request->explain;
	Cpis__V1__ExplainReply *reply = explanation->reply;
	struct policy_question question = {
		.operation = request->operation,
		.organisation_type = organisation->type,
		.role_code = request->role_code,
		.additional = profile->additional,
		.organisation_care_settings = organisation->care_settings,
		.care_setting = request->care_setting,
		.access_type = request->access_type,
		.reason_stated = request->reason_given || request->break_glass,
		.break_glass = request->break_glass,
		.now_ms = at_ms,
	};
	struct policy_step steps[POLICY_STEPS_MAX];
	size_t count = 0;
	struct policy_decision decision = policy_explain(context->policy, &question, steps, &count);
	for (size_t i = 0; i < count; i++)
		if (!add_step(explanation, steps[i].rule, steps[i].holds, steps[i].text))
			return REASON_INTERNAL;
	char *rule = arena_alloc(context->arena, POLICY_RULE_BYTES);
	if (rule == NULL)
		return REASON_INTERNAL;
	policy_rule_text(context->policy, &question, &decision, rule);
	reply->rule = rule;
	reply->allowed = decision.reason == REASON_NONE;
	reply->decision = op_text(policy_decision_word(request->operation, &decision));
	reply->reason = op_text(reason_sentence(decision.reason));
	reply->signature_needed = reply->allowed && decision.signed_act;
	return REASON_NONE;
}

enum reason op_explain(struct op_context *context)
{
	const Cpis__V1__ExplainRequest *request = context->request->explain;
	struct ods_code ods = context->organisation->ods;
	struct explanation explanation = {
		.context = context,
		.reply = OP_NEW(context, Cpis__V1__ExplainReply, cpis__v1__explain_reply__init),
	};
	if (explanation.reply == NULL)
		return REASON_INTERNAL;
	explanation.reply->steps = arena_alloc(context->arena, EXPLAIN_STEPS_MAX * sizeof *explanation.reply->steps);
	char *target = arena_printf(context->arena, "%s %s %s", request->uid, request->role_code,
				    wire_operation_name(request->operation));
	if (explanation.reply->steps == NULL || target == NULL)
		return REASON_INTERNAL;
	context->detail->target = target;
	context->detail->filter_uid = request->uid;
	if (request->organisation[0] != '\0' &&
	    !ods_code_parse(request->organisation, strlen(request->organisation), &ods))
		return REASON_VALUE;
	if (!ods_code_equal(&ods, &context->organisation->ods) && context->organisation->type != ORGANISATION_NATIONAL_BODY)
		return REASON_EXPLAIN_SCOPE;
	const struct organisation *organisation = register_organisation(context->snapshot, &ods);
	const struct role_profile *profile = NULL;
	uint64_t at_ms = request->at_ms == 0 ? context->now_ms : request->at_ms;
	bool go_on;
	explanation.reply->policy_version = op_text(policy_version(context->policy));
	enum reason reason = explain_person(&explanation, organisation, at_ms, &profile, &go_on);
	if (reason == REASON_NONE && go_on)
		reason = explain_policy(&explanation, organisation, profile, at_ms);
	if (reason != REASON_NONE)
		return reason;
	context->reply->explain = explanation.reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_EXPLAIN;
	return REASON_NONE;
}
