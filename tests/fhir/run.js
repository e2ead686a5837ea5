// The journeys of a system that speaks FHIR, and what becomes of those who should not have an answer.
"use strict";
const assert = require("node:assert/strict");
const {execFileSync} = require("node:child_process");
const fs = require("node:fs");
const Client = require("fhir-kit-client");
const {makeFhirWorld, seen, people, children, day, tls, repository} = require("./world.js");
const {Trials} = require("./trials.js");
const {valid, count} = require("./valid.js");

const identifier = (number) => `https://fhir.nhs.uk/Id/nhs-number|${number}`;
const trials = new Trials(30000, (error) => `\n${JSON.stringify(error.response || "")}`);
let world;

const test = (sentence, run) => trials.test(sentence, run);

const nurse = (claims, header) => world.provider.token(people.nurse, "R8001", claims, header);

// A stock client with this token and these headers.
function client(token, headers = {}) {
  const made = new Client({baseUrl: world.base, customHeaders: headers});
  if (token) made.bearerToken = token;
  return made;
}
async function search(resourceType, searchParams, token = nurse(), headers = {}) {
  const answer = await client(token, headers).search({resourceType, searchParams, options: {postSearch: true}});
  return valid(answer);
}
// A refusal, as status and OperationOutcome; fails when there is none.
async function refused(promise, status, spine, reason) {
  const error = await promise.then((answer) => assert.fail(`answered: ${JSON.stringify(answer)}`), (e) => e);
  assert.ok(error.response, error.stack);
  assert.equal(error.response.status, status, JSON.stringify(error.response.data));
  const outcome = valid(error.response.data);
  const codes = outcome.issue[0].details.coding.map((coding) => coding.code);
  assert.ok(codes.includes(spine) && (!reason || codes.includes(reason)), `${codes} has not ${spine} ${reason}`);
  return outcome;
}
async function raw(method, address, {headers = {}, body} = {}) {
  return fetch(world.base + address, {method, headers, body});
}
const resources = (bundle, type, mode) => (bundle.entry || []).filter((e) => e.resource.resourceType === type && (!mode || e.search.mode === mode))
  .map((e) => e.resource);
const issues = (bundle) => resources(bundle, "OperationOutcome").flatMap((o) => o.issue);
const reasons = (bundle) => issues(bundle).flatMap((issue) => issue.details.coding.map((c) => c.code));

// A file of the broker's, until the broker has said that it saw it.
async function replace(name, text, event = "register_loaded") {
  const log = world.file("broker.log");
  const said = [...fs.readFileSync(log, "utf8").matchAll(new RegExp(event, "g"))].length;
  world.write(".new", text);
  fs.renameSync(world.file(".new"), world.file(name));
  await seen(log, new RegExp(`(?:(?:${event})[^]*){${said + 1}}`), world.broker);
}

async function journeys() {
  await test("what the server can be asked is told to anybody", async () => {
    const statement = valid(await client().capabilityStatement());
    assert.deepEqual(statement.rest[0].resource.map((r) => r.type), ["Flag", "CareTeam", "AuditEvent"]);
    assert.equal(statement.fhirVersion, "4.0.1");
  });

  await test("a flag is silent and says yes", async () => {
    const bundle = await search("Flag", {"patient:identifier": identifier(children.known)});
    assert.equal(bundle.total, 1);
    const [flag] = resources(bundle, "Flag", "match");
    assert.deepEqual(flag.subject.identifier, {system: "https://fhir.nhs.uk/Id/nhs-number", value: children.known});
    assert.equal(flag.period, undefined);
    assert.deepEqual(reasons(bundle), ["supports_judgement"]);
  });

  await test("a no says that it is no proof of safety", async () => {
    const bundle = await search("Flag", {"patient:identifier": identifier(children.unknown)});
    assert.equal(bundle.total, 0);
    assert.deepEqual(reasons(bundle), ["no_proof_of_safety"]);
    assert.equal(issues(bundle)[0].severity, "information");
    assert.match(issues(bundle)[0].diagnostics, /not|no proof/);
  });

  await test("with includes a flag opens the details: plans by SNOMED code, whom to ring now first, and who looked", async () => {
    const look = () => search("Flag", {"patient:identifier": identifier(children.known), _include: "Flag:author",
      _revinclude: ["CareTeam:patient", "AuditEvent:patient"]});
    const bundle = await look();
    const [flag] = resources(bundle, "Flag", "match"), [team] = resources(bundle, "CareTeam", "include"), [organisation] = resources(bundle, "Organization");
    assert.equal(flag.code.coding[0].code, "342191000000101");
    assert.equal(flag.period.start, day(-14));
    assert.equal(team.category[0].coding[0].code, "342191000000101");
    assert.deepEqual(organisation.identifier, [{system: "https://fhir.nhs.uk/Id/ods-organization-code", value: "383"}]);
    assert.deepEqual(organisation.telecom.map((t) => t.value).sort(), ["0113 496 0000", "0113 496 0100"]);
    assert.deepEqual(team.telecom.map((t) => t.rank), [1, 2]);
    assert.equal(organisation.telecom[0].value, team.telecom[0].value);
    assert.equal(resources(bundle, "AuditEvent").length, 0);
    assert.deepEqual(reasons(bundle), ["supports_judgement", "notified"]);
    const [event] = resources(await look(), "AuditEvent", "include");
    assert.equal(event.agent[0].name, people.nurse.name);
    assert.equal(event.agent[0].role[0].coding[0].code, "R8001");
    assert.equal(event.source.observer.identifier.value, "RXH");
    assert.ok(Math.abs(Date.parse(event.recorded) - Date.now()) < 120000);
    const inbox = world.cpis("worker", ["inbox", "list"]);
    assert.ok(inbox.includes(children.known) && inbox.includes(people.nurse.name), inbox);
  });

  await test("the CP-IS searches: care teams and audit events, all three kinds of plan", async () => {
    for (const [child, code] of [[children.looked_after, "764841000000100"], [children.second, "818901000000100"]]) {
      const bundle = await search("CareTeam", {"patient:identifier": identifier(child), _include: "CareTeam:participant"});
      assert.equal(resources(bundle, "CareTeam", "match")[0].category[0].coding[0].code, code);
      assert.equal(resources(bundle, "Organization", "include").length, 1);
    }
    const bundle = await search("AuditEvent", {"patient:identifier": identifier(children.known)});
    assert.ok(bundle.total >= 1 && resources(bundle, "AuditEvent", "match").length === bundle.total);
    assert.equal((await search("CareTeam", {"patient:identifier": identifier(children.unknown)})).total, 0);
  });

  await test("a date of birth that differs is said", async () => {
    const ask = (months) => search("CareTeam", {"patient:identifier": identifier(children.known), "patient.birthdate": day(months)});
    assert.ok(!reasons(await ask(-72)).includes("birth_date_differs"));
    assert.ok(reasons(await ask(-70)).includes("birth_date_differs"));
  });

  await test("what the caller calls a request comes back and is in the audit record", async () => {
    const headers = {"x-request-id": "60E0B220-8136-4CA5-AE46-1D97EF59D068", "x-correlation-id": "11C46F5F-CDEF-4865-94B2-0EE0EDCC26DA"};
    const bundle = await search("Flag", {"patient:identifier": identifier(children.known)}, nurse(), headers);
    const {response} = Client.httpFor(bundle);
    for (const [name, value] of Object.entries(headers)) assert.equal(response.headers.get(name), value);
    const record = world.cpis("officer", ["audit", "show", bundle.identifier.value]);
    for (const value of [...Object.values(headers), people.nurse.name]) assert.ok(record.includes(value), record);
    const listed = world.cpis("officer", ["audit", "search", "--system", "fhir", "--json"]);
    for (const value of [...Object.values(headers), "https://am.identity.example/openam"]) assert.ok(listed.includes(value), listed);
    const opened = JSON.parse(listed).entries.find((entry) => entry.operation === "SESSION_OPEN");
    assert.ok(world.cpis("officer", ["audit", "show", String(opened.index)]).includes("an identity provider's token"));
  });
}

async function refusals() {
  const good = {"patient:identifier": identifier(children.known)};

  await test("each way in which a token does not hold is a 401 or 403 with its reason", async () => {
    const now = Math.floor(Date.now() / 1000);
    await refused(search("Flag", good, ""), 401, "AUTHOR_CREDENTIALS_ERROR");
    await refused(search("Flag", good, "nonsense"), 401, "AUTHOR_CREDENTIALS_ERROR", "identity_token_form");
    await refused(search("Flag", good, nurse({aud: "another-party"})), 401, "AUTHOR_CREDENTIALS_ERROR", "identity_token_audience");
    await refused(search("Flag", good, nurse({exp: now - 1})), 401, "AUTHOR_CREDENTIALS_ERROR", "identity_token_time");
    await refused(search("Flag", good, nurse({}, {kid: "two"})), 401, "AUTHOR_CREDENTIALS_ERROR", "identity_token_key");
    await refused(search("Flag", good, nurse({}, {alg: "none"})), 401, "AUTHOR_CREDENTIALS_ERROR", "identity_token_algorithm");
    await refused(search("Flag", good, nurse() + "A"), 401, "AUTHOR_CREDENTIALS_ERROR");
    await refused(search("Flag", good, nurse({authentication_assurance_level: "2"})), 401, "AUTHOR_CREDENTIALS_ERROR", "identity_token_assurance");
    await refused(search("Flag", good, world.provider.token(people.nurse, "R0050")), 403, "AUTHOR_CREDENTIALS_ERROR", "role_profile");
    await refused(search("Flag", good, world.provider.token(people.worker, "R9535")), 403, "AUTHOR_CREDENTIALS_ERROR", "role_profile");
    const response = await raw("POST", "/Flag/_search", {headers: {"content-type": "application/x-www-form-urlencoded"}, body: "a=b"});
    assert.equal(response.status, 400); // what is asked is read first: nothing of it is said to anybody
    assert.equal((await raw("POST", "/Flag/_search", {headers: {"content-type": "application/x-www-form-urlencoded"},
      body: new URLSearchParams(good).toString()})).headers.get("www-authenticate"), "Bearer");
  });

  await test("who may not see details may not by FHIR either", async () => {
    const token = world.provider.token(people.receptionist, "R8009");
    await refused(search("Flag", {...good, reason: "arrived with a head injury"}, token), 403, "ACCESS_DENIED", "role_lacks_activity");
    await refused(search("CareTeam", {...good, reason: "arrived with a head injury"}, token), 403, "ACCESS_DENIED");
  });

  await test("a number in an address is refused, says why, and is in no log", async () => {
    for (const address of [`/Flag?patient:identifier=${identifier(children.known)}`, `/CareTeam?patient.identifier=${children.known}`, `/AuditEvent/${children.known}`]) {
      const response = await raw("GET", address, {headers: {authorization: `Bearer ${nurse()}`}});
      assert.equal(response.status, 405);
      assert.equal(response.headers.get("allow"), "POST");
      assert.match(valid(await response.json()).issue[0].diagnostics, /logs/);
    }
    const response = await raw("POST", `/Flag/_search?patient:identifier=${encodeURIComponent(identifier(children.known))}`,
      {headers: {authorization: `Bearer ${nurse()}`}});
    assert.equal(response.status, 400);
    valid(await response.json());
  });

  await test("what is asked wrongly is refused with what to do", async () => {
    await refused(search("Flag", {}), 400, "INVALID_SEARCH_DATA");
    for (const value of ["9990000018", identifier("999000001"), identifier("99900000180"), `https://other.example|${children.known}`])
      await refused(search("Flag", {"patient:identifier": value}), 400, "INVALID_SEARCH_DATA");
    await refused(search("Flag", {"patient:identifier": identifier("9990000019")}), 400, "INVALID_SEARCH_DATA", "nhs_number");
    await refused(search("Flag", {...good, "family": "EXAMPLE"}), 400, "INVALID_SEARCH_DATA");
    await refused(search("Flag", {"patient:identifier": [identifier(children.known), identifier(children.second)]}), 400, "INVALID_SEARCH_DATA");
    await refused(search("Flag", {...good, _include: "Flag:subject"}), 400, "INVALID_SEARCH_DATA");
    await refused(search("Flag", {...good, "care-setting": "pub"}), 400, "INVALID_SEARCH_DATA");
    await refused(search("Flag", {...good, "care-setting": "school_nursing"}), 403, "ACCESS_DENIED");
    await refused(search("CareTeam", {...good, "patient.birthdate": "yesterday"}), 400, "INVALID_SEARCH_DATA");
    await refused(search("CareTeam", good, nurse(), {isunscheduledaccessevent: "perhaps"}), 400, "PRECONDITION_FAILED");
    await refused(search("Flag", good, nurse(), {"x-request-id": "two words"}), 400, "PRECONDITION_FAILED");
    await refused(search("Flag", good, nurse(), {accept: "application/fhir+xml"}), 406, "NOT_ACCEPTABLE");
  });

  await test("bodies, methods and addresses that are none of ours", async () => {
    const authorization = `Bearer ${nurse()}`;
    const json = await raw("POST", "/Flag/_search", {headers: {authorization, "content-type": "application/fhir+json"}, body: "{}"});
    assert.equal(json.status, 400);
    valid(await json.json());
    const nowhere = await raw("GET", "/Patient/1");
    assert.equal(nowhere.status, 404);
    valid(await nowhere.json());
    assert.ok((await raw("DELETE", "/Flag/1")).status >= 400);
    const host = await raw("GET", "/metadata", {headers: {}});
    for (const [name, value] of [["cache-control", "no-store"], ["x-content-type-options", "nosniff"], ["content-type", "application/fhir+json; charset=utf-8"]])
      assert.equal(host.headers.get(name), value);
    assert.match(host.headers.get("strict-transport-security"), /max-age/);
    await raw("POST", "/Flag/_search", {headers: {authorization}, body: "x".repeat(70000)}).then((r) => assert.ok(r.status >= 400), () => {});
    assert.equal((await search("Flag", good)).total, 1);
  });

  await test("a provider whose keys are changed is followed, its open sessions too; one with a mistake is not", async () => {
    const token = world.provider.token(people.consultant, "R0050");
    assert.equal((await search("Flag", good, token)).total, 1);
    const configured = fs.readFileSync(world.file("identity/cis2.yaml"), "utf8");
    await replace("identity/cis2.yaml", configured.replace("RXH/fhir", "RXH/hospital"));
    await refused(search("Flag", good, token), 401, "AUTHOR_CREDENTIALS_ERROR", "identity_token_audience");
    await replace("identity/cis2.yaml", configured);
    assert.equal((await search("Flag", good, token)).total, 1);
    await replace("identity/cis2.jwks", JSON.stringify({keys: [{...world.provider.jwks.keys[0], kid: "another"}]}));
    await refused(search("Flag", good, world.provider.token(people.consultant, "R0050")), 401, "AUTHOR_CREDENTIALS_ERROR", "identity_token_key");
    await replace("identity/cis2.jwks", JSON.stringify(world.provider.jwks));
    // A file that is wrong changes nothing.
    await replace("identity/cis2.yaml", configured.replace("ES256", "none"), "register_reload_failed");
    assert.equal((await search("Flag", good, token)).total, 1);
    await replace("identity/cis2.yaml", configured);
  });

  await test("a bearer whose role is ended has no answer from the next request on", async () => {
    const token = world.provider.token(people.consultant, "R0050");
    assert.equal((await search("Flag", good, token)).total, 1);
    const register = fs.readFileSync(world.file("register.yaml"), "utf8");
    await replace("register.yaml", register.split("\n").filter((line) => !line.includes(people.consultant.uid)).join("\n"));
    await refused(search("Flag", good, token), 403, "AUTHOR_CREDENTIALS_ERROR", "role_profile");
  });
}

async function examples() {
  await test("the README's examples do as they stand", async () => {
    const text = fs.readFileSync(`${repository}/clients/fhir/README.md`, "utf8");
    const blocks = [...text.matchAll(/^((?:    (?:curl|  +).*\n)+)/gm)].map((m) => m[1]).filter((block) => block.includes("curl"));
    assert.ok(blocks.length >= 4, `${blocks.length} examples`);
    for (const block of blocks) {
      const out = execFileSync("bash", ["-euc", block], {encoding: "utf8", env: {...process.env, CURL_CA_BUNDLE: `${tls}/ca.pem`, FHIR: world.base, TOKEN: nurse()}});
      valid(JSON.parse(out));
    }
  });
}

async function ending() {
  await test("neither the log nor any file of the facade has a child, a person or a token", async () => {
    for (const name of ["fhir.log", "fhir.yaml", "fhir-profile.yaml", "fhir.checkpoint-0", "fhir.checkpoint-1"]) {
      if (!fs.existsSync(world.file(name))) continue;
      const text = fs.readFileSync(world.file(name), "utf8");
      for (const word of [...Object.values(children), people.nurse.name, people.nurse.uid, "eyJ"]) assert.ok(!text.includes(word), `${name} has ${word}`);
    }
    const broker = fs.readFileSync(world.file("broker.log"), "utf8");
    for (const word of [...Object.values(children), people.nurse.name, "eyJ"]) assert.ok(!broker.includes(word), `the broker's log has ${word}`);
  });

  await test("a broker that is gone is a 503, and the facade ends when it is told to", async () => {
    const token = nurse();
    world.broker.kill("SIGKILL");
    await refused(search("Flag", {"patient:identifier": identifier(children.known)}, token), 503, "SERVICE_UNAVAILABLE");
    const ended = new Promise((resolve) => world.facade.once("exit", resolve));
    world.facade.kill("SIGTERM");
    assert.equal(await ended, 0);
  });
}

async function main() {
  process.exitCode = 1; // until all of it has been run
  world = await makeFhirWorld();
  try {
    await journeys();
    await refusals();
    await examples();
    await ending();
  } finally {
    if (trials.failed > 0) for (const log of ["broker.log", "fhir.log"]) console.log(`---- ${log}\n${fs.readFileSync(world.file(log), "utf8")}`);
    await world.stop();
  }
  console.log(`${count()} resources held against the R4 schema and invariants`);
  trials.end();
}

main().catch((error) => { console.log(error.stack); process.exitCode = 1; });
