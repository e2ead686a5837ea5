// Looking up.
#include "clients/web/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/web/act.h"
#include "clients/web/form.h"
#include "proto/date.h"
#include "proto/nhs_number.h"
#include "proto/text.h"

#define BREAK_GLASS "L0104"

// What somebody typed, and what is wrong with it.
struct question {
	struct nhs_number number;
	char birth_date[11];           // "" when it was not given
	Cpis__V1__CareSetting care_setting;
	const char *reason;
	const char *number_problem, *birth_problem, *care_setting_problem, *reason_problem;
};

// ------------------------------------------------------------------ reading the form

static void read_birth_date(const struct page *page, struct question *question)
{
	const char *day = page_field(page, "birth_day"), *month = page_field(page, "birth_month"), *year = page_field(page, "birth_year");
	struct date date;
	if (day[0] == '\0' && month[0] == '\0' && year[0] == '\0') {
		question->birth_problem = "Enter the date of birth";
		return;
	}
	if (text_is_digits(day, strlen(day), strlen(day)) && strlen(day) <= 2 && text_is_digits(month, strlen(month), strlen(month)) &&
	    strlen(month) <= 2 && text_is_digits(year, strlen(year), 4))
		snprintf(question->birth_date, sizeof question->birth_date, "%04lu-%02lu-%02lu", strtoul(year, NULL, 10) % 10000,
			 strtoul(month, NULL, 10) % 100, strtoul(day, NULL, 10) % 100);
	if (!date_parse(question->birth_date, strlen(question->birth_date), &date) ||
	    date.day > english_time_of(page->now_ms).date.day)
		question->birth_problem = "Date of birth must be a real date in the past, such as 27 3 2017";
}

static void read_care_setting(const struct page *page, struct question *question)
{
	const char *word = page_field(page, "care_setting");
	question->care_setting = CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED;
	if (word[0] != '\0' && !wire_care_setting_by_name(word, &question->care_setting))
		question->care_setting_problem = "Choose where the child is";
	else if (word[0] == '\0' && page->gateway->settings->care_settings_count > 1)
		question->care_setting_problem = "Choose where the child is";
}

static void read_reason(const struct page *page, struct question *question, bool required)
{
	question->reason = page_field(page, "reason");
	if (required || question->reason[0] != '\0')
		question->reason_problem = form_words_problem(question->reason, TEXT_BYTES_MAX);
}

static bool read_question(const struct page *page, struct question *ret, bool break_glass)
{
	memset(ret, 0, sizeof *ret);
	const char *typed = page_field(page, "nhs_number");
	enum nhs_number_status status = nhs_number_parse_typed(typed, strlen(typed), &ret->number);
	if (typed[0] == '\0')
		ret->number_problem = "Enter the NHS number";
	else if (status != NHS_NUMBER_OK)
		ret->number_problem = nhs_number_status_text(status);
	read_care_setting(page, ret);
	read_reason(page, ret, break_glass);
	if (!break_glass)
		read_birth_date(page, ret);
	return ret->number_problem == NULL && ret->birth_problem == NULL && ret->care_setting_problem == NULL && ret->reason_problem == NULL;
}

// ------------------------------------------------------------------ the form

static void add_typed(const struct page *page, struct model *model, const char *name, const char *problem)
{
	struct model_node *node = model_text(model, model_root(model), name, page_field(page, name));
	if (problem != NULL)
		model_attribute(model, node, "problem", problem);
}

static void add_care_settings(const struct page *page, struct model *model)
{
	const struct settings *settings = page->gateway->settings;
	for (uint32_t i = 0; i < settings->care_settings_count; i++) {
		char words[48];
		size_t j = 0;
		for (const char *c = settings->care_settings[i]; *c != '\0' && j + 1 < sizeof words; c++)
			words[j++] = *c == '_' ? ' ' : *c;
		words[j] = '\0';
		struct model_node *node = model_text(model, model_root(model), "setting", words);
		model_attribute(model, node, "code", settings->care_settings[i]);
	}
}

static void show_form(struct page *page, const struct question *question)
{
	struct model *model = page_model(page, "lookup");
	if (model != NULL) {
		add_care_settings(page, model);
		add_typed(page, model, "nhs_number", question == NULL ? NULL : question->number_problem);
		add_typed(page, model, "birth_day", question == NULL ? NULL : question->birth_problem);
		add_typed(page, model, "birth_month", NULL);
		add_typed(page, model, "birth_year", NULL);
		add_typed(page, model, "care_setting", question == NULL ? NULL : question->care_setting_problem);
		add_typed(page, model, "reason", question == NULL ? NULL : question->reason_problem);
	}
	page_show(page, "lookup", model, question == NULL ? 200 : 400);
}

void lookup_show(struct page *page)
{
	show_form(page, NULL);
}

// ------------------------------------------------------------------ the answer

static struct model *answer(struct page *page, const char *nhs_number, const char *state, const Cpis__V1__Reply *reply)
{
	struct nhs_number number;
	char spaced[13] = "";
	struct model *model = page_model(page, "answer");
	if (model == NULL)
		return NULL;
	if (nhs_number_parse(nhs_number, strlen(nhs_number), &number) == NHS_NUMBER_OK)
		nhs_number_format(&number, spaced);
	model_attribute(model, model_text(model, model_root(model), "number", nhs_number), "spaced", spaced);
	model_attribute(model, model_root(model), "state", state);
	page_add_receipt(model, reply);
	return model;
}

// Types that the child has a current plan of, for the sentence that the page begins with.
static void add_current(struct model *model, const Cpis__V1__DetailsReply *details)
{
	bool seen[PLAN_TYPES_MAX + 1] = {false};
	for (size_t i = 0; i < details->n_plans; i++) {
		const Cpis__V1__Plan *plan = details->plans[i];
		unsigned type = (unsigned)plan->type;
		if (plan->status != CPIS__V1__PLAN_STATUS__CURRENT || type > PLAN_TYPES_MAX || seen[type])
			continue;
		seen[type] = true;
		model_text(model, model_root(model), "current", wire_plan_type_name(plan->type));
	}
}

void lookup_show_details(struct page *page, const char *nhs_number, const Cpis__V1__Reply *reply)
{
	struct model *model = answer(page, nhs_number, "known", reply);
	if (model != NULL) {
		add_current(model, reply->details);
		model_message(model, model_root(model), "details", &reply->details->base);
	}
	page_show(page, "answer", model, 200);
}

static void show_none(struct page *page, const struct question *question, const Cpis__V1__Reply *reply)
{
	struct model *model = answer(page, question->number.digits, "none", reply);
	if (model != NULL)
		model_message(model, model_root(model), "flag", &reply->flag->base);
	page_show(page, "answer", model, 200);
}

// A refusal that somebody who may break the glass can do something about.
static void show_refused(struct page *page, const struct question *question, const Cpis__V1__Reply *reply)
{
	struct model *model = answer(page, question->number.digits, "refused", reply);
	if (model != NULL) {
		model_text(model, model_root(model), "reason", reply->reason);
		model_text(model, model_root(model), "reason_code", reply->reason_code);
		model_text(model, model_root(model), "care_setting", page_field(page, "care_setting"));
		if (reply->outcome == CPIS__V1__OUTCOME__ACCESS_DENIED && page_may(page, BREAK_GLASS))
			model_add(model, model_root(model), "may_break_glass");
	}
	page_show(page, "answer", model, 403);
}

static bool ask_flag(struct page *page, struct question *question, const Cpis__V1__Reply **ret)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	flag.nhs_number = question->number.digits;
	flag.care_setting = question->care_setting;
	flag.reason = (char *)(uintptr_t)question->reason;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	return page_ask(page, &request, ret);
}

static bool ask_details(struct page *page, struct question *question, const Cpis__V1__Reply **ret)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	details.nhs_number = question->number.digits;
	details.care_setting = question->care_setting;
	details.reason = (char *)(uintptr_t)question->reason;
	details.birth_date = question->birth_date;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	return page_ask(page, &request, ret);
}

void lookup_ask(struct page *page)
{
	struct question question;
	const Cpis__V1__Reply *reply = NULL;
	if (!read_question(page, &question, false)) {
		show_form(page, &question);
		return;
	}
	if (!ask_flag(page, &question, &reply))
		return;
	if (reply->outcome == CPIS__V1__OUTCOME__OK && reply->flag->flag) {
		cpis_reply_free(reply);
		if (!ask_details(page, &question, &reply))
			return;
		if (reply->outcome == CPIS__V1__OUTCOME__OK)
			lookup_show_details(page, question.number.digits, reply);
		else
			show_refused(page, &question, reply);
	} else if (reply->outcome == CPIS__V1__OUTCOME__OK) {
		show_none(page, &question, reply);
	} else {
		show_refused(page, &question, reply);
	}
	cpis_reply_free(reply);
}

// ------------------------------------------------------------------ breaking the glass

void lookup_break_glass(struct page *page)
{
	static const struct act_words words = {
		.heading = "Break the glass",
		.sentence = "You are about to open this child's details although your role, the hour or the place would not allow it. Social care and your "
			    "privacy officer are told at once, with your name and your reason.",
		.button = "Break the glass and open the details",
	};
	struct question question;
	if (!read_question(page, &question, true)) {
		page_say(page, 400, "Nothing was opened",
			 question.reason_problem != NULL ? question.reason_problem : "The NHS number or the place was missing. Look the child up again.");
		return;
	}
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	details.nhs_number = question.number.digits;
	details.care_setting = question.care_setting;
	details.reason = (char *)(uintptr_t)question.reason;
	details.break_glass = true;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	act_ask(page, &request, ACT_BREAK_GLASS, "", &words);
}
