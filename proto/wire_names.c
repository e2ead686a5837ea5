// Words for the enums of the wire format, from the generated descriptors, so that they cannot drift apart.
#include <string.h>
#include <strings.h>

#include "proto/wire.h"

static const char *name_of(const ProtobufCEnumDescriptor *descriptor, int value)
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(descriptor, value);
	return found == NULL ? "?" : found->name;
}

static bool value_of(const ProtobufCEnumDescriptor *descriptor, const char *name, int *ret)
{
	for (unsigned i = 0; i < descriptor->n_values; i++) {
		// 0 stands for "not given": nobody can name it.
		if (descriptor->values[i].value != 0 && strcasecmp(descriptor->values[i].name, name) == 0) {
			*ret = descriptor->values[i].value;
			return true;
		}
	}
	return false;
}

const char *wire_operation_name(Cpis__V1__Operation operation)
{
	return name_of(&cpis__v1__operation__descriptor, (int)operation);
}

const char *wire_outcome_name(Cpis__V1__Outcome outcome)
{
	return name_of(&cpis__v1__outcome__descriptor, (int)outcome);
}

const char *wire_care_setting_name(Cpis__V1__CareSetting setting)
{
	return name_of(&cpis__v1__care_setting__descriptor, (int)setting);
}

const char *wire_plan_type_name(Cpis__V1__PlanType type)
{
	return name_of(&cpis__v1__plan_type__descriptor, (int)type);
}

const char *wire_file_outcome_name(Cpis__V1__FileOutcome outcome)
{
	return name_of(&cpis__v1__file_outcome__descriptor, (int)outcome);
}

const char *wire_quarantine_kind_name(Cpis__V1__QuarantineKind kind)
{
	return name_of(&cpis__v1__quarantine_kind__descriptor, (int)kind);
}

const char *wire_alert_finding_name(Cpis__V1__AlertFinding finding)
{
	return name_of(&cpis__v1__alert_finding__descriptor, (int)finding);
}

const char *wire_record_class_name(Cpis__V1__RecordClass record_class)
{
	return name_of(&cpis__v1__record_class__descriptor, (int)record_class);
}

const char *wire_audit_report_name(Cpis__V1__AuditReport report)
{
	return name_of(&cpis__v1__audit_report__descriptor, (int)report);
}

const char *wire_enrolment_state_name(Cpis__V1__EnrolmentState state)
{
	return name_of(&cpis__v1__enrolment_state__descriptor, (int)state);
}

bool wire_recorded_operation_by_name(const char *name, Cpis__V1__Operation *ret)
{
	int value;
	if (!value_of(&cpis__v1__operation__descriptor, name, &value))
		return false;
	*ret = (Cpis__V1__Operation)value;
	return true;
}

bool wire_operation_by_name(const char *name, Cpis__V1__Operation *ret)
{
	Cpis__V1__Operation value;
	if (!wire_recorded_operation_by_name(name, &value) || value >= CPIS__V1__OPERATION__HANDSHAKE)
		return false;
	*ret = value;
	return true;
}

bool wire_outcome_by_name(const char *name, Cpis__V1__Outcome *ret)
{
	int value;
	if (!value_of(&cpis__v1__outcome__descriptor, name, &value))
		return false;
	*ret = (Cpis__V1__Outcome)value;
	return true;
}

bool wire_quarantine_kind_by_name(const char *name, Cpis__V1__QuarantineKind *ret)
{
	int value;
	if (!value_of(&cpis__v1__quarantine_kind__descriptor, name, &value))
		return false;
	*ret = (Cpis__V1__QuarantineKind)value;
	return true;
}

bool wire_alert_finding_by_name(const char *name, Cpis__V1__AlertFinding *ret)
{
	int value;
	if (!value_of(&cpis__v1__alert_finding__descriptor, name, &value))
		return false;
	*ret = (Cpis__V1__AlertFinding)value;
	return true;
}

bool wire_care_setting_by_name(const char *name, Cpis__V1__CareSetting *ret)
{
	int value;
	if (!value_of(&cpis__v1__care_setting__descriptor, name, &value))
		return false;
	*ret = (Cpis__V1__CareSetting)value;
	return true;
}

bool wire_plan_type_by_name(const char *name, Cpis__V1__PlanType *ret)
{
	int value;
	if (!value_of(&cpis__v1__plan_type__descriptor, name, &value))
		return false;
	*ret = (Cpis__V1__PlanType)value;
	return true;
}

const char *wire_plan_type_words(Cpis__V1__PlanType type)
{
	switch (type) {
	case CPIS__V1__PLAN_TYPE__CPP:
		return "subject to child protection plan";
	case CPIS__V1__PLAN_TYPE__LAC:
		return "looked after child";
	case CPIS__V1__PLAN_TYPE__UCPP:
		return "unborn child subject to child protection plan";
	default:
		return "?";
	}
}

const char *wire_plan_type_snomed(Cpis__V1__PlanType type)
{
	switch (type) {
	case CPIS__V1__PLAN_TYPE__CPP:
		return "342191000000101";
	case CPIS__V1__PLAN_TYPE__LAC:
		return "764841000000100";
	case CPIS__V1__PLAN_TYPE__UCPP:
		return "818901000000100";
	default:
		return "?";
	}
}

Cpis__V1__Operation wire_operation(const Cpis__V1__Request *request)
{
	// Bodies are numbered from 16 in the order of the operations, from 1; a test holds the two together.
	int operation = (int)request->body_case - (int)CPIS__V1__REQUEST__BODY_PING + (int)CPIS__V1__OPERATION__PING;
	if (protobuf_c_enum_descriptor_get_value(&cpis__v1__operation__descriptor, operation) == NULL)
		return CPIS__V1__OPERATION__OPERATION_UNSPECIFIED;
	return (Cpis__V1__Operation)operation;
}
