// cpis-fhir-notify between a real broker's inbox and an authority's endpoint: what is told and in which form, and that what is not
// accepted stays unacknowledged and is told later.
"use strict";
const assert = require("node:assert/strict");
const {execFile, execFileSync} = require("node:child_process");
const crypto = require("node:crypto");
const {once} = require("node:events");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const {makeFhirWorld, people, children, tls, repository} = require("./world.js");
const {Trials} = require("./trials.js");
const {valid, count} = require("./valid.js");
const {Endpoint, PATH} = require("./endpoint.js");

const trials = new Trials(240000); // of a machine that has much else to do
const build = path.resolve(repository, process.env.BUILD || "build");
const token = `Bearer ${crypto.randomBytes(24).toString("hex")}`;
const subscription = crypto.randomUUID();
let world, endpoint, said = "";

const test = (sentence, run) => trials.test(sentence, run);

// ---------------------------------------------------------------- the programs

// Not waited for by blocking: the endpoint is in this process.
function run(program, args, input = "") {
  return new Promise((resolve) => {
    const child = execFile(path.join(build, program), args, {cwd: world.folder, encoding: "utf8"}, (error, out, err) => {
      said += err;
      resolve({code: error ? error.code : 0, out, err});
    });
    child.stdin.on("error", () => {}); // one that refuses its settings reads nothing
    child.stdin.end(input);
  });
}

// With just this mode, whatever was there.
function write(name, text, mode) {
  fs.rmSync(world.file(name), {force: true});
  world.write(name, text, mode);
  return name;
}
// A subscription's settings, which `--exec` takes as they are: their first line names the program.
function settings(changes = {}, name = "notify.yaml") {
  const keys = {endpoint: `https://localhost:${endpoint.port}${PATH}`, ca_file: `${tls}/ca.pem`, subscription, payload: "full-resource", ...changes};
  write(name, `#!${build}/cpis-fhir-notify --config\n` +
    Object.entries(keys).filter(([, value]) => value !== undefined).map(([key, value]) => `${key}: "${value}"\n`).join(""), 0o755);
  return name;
}
const notify = (args, input, changes) => run("cpis-fhir-notify", ["--config", settings(changes), ...args], input);
const follow = (n = 1) => run("cpis", ["--profile", "worker.yaml", "inbox", "follow", "--exec", "./notify.yaml", "--count", String(n)]);
const unacknowledged = () => JSON.parse(world.cpis("worker", ["--json", "inbox", "list"])).items;
const look = (child, person = "nurse") => world.cpis(person, ["query", "--details", child]);

// ---------------------------------------------------------------- what comes

function parameter(list, name) {
  const found = list.filter((one) => one.name === name);
  assert.ok(found.length <= 1, `${found.length} of ${name}`);
  return found.length === 0 ? undefined : found[0].valueReference || found[0].valueCode || found[0].valueString || found[0].valueInstant || found[0].valueCanonical;
}

// A notification by the Backport's rules for R4; nobody's number in its address and its headers.
function notification(request, type, payload) {
  const bundle = valid(JSON.parse(request.body));
  assert.equal(request.method, "POST");
  assert.equal(request.url, PATH);
  assert.match(request.headers["content-type"], /^application\/fhir\+json/);
  assert.equal(request.headers["x-request-id"], bundle.id);
  assert.match(request.tls, /^TLSv1\.[23]$/);
  assert.doesNotMatch(request.url + JSON.stringify(request.headers), /999\d{7}/);
  assert.equal(bundle.type, "history");
  const [status, ...content] = bundle.entry;
  assert.equal(status.resource.resourceType, "Parameters");
  assert.deepEqual(status.request, {method: "GET", url: `Subscription/${subscription}/$status`});
  const list = status.resource.parameter;
  assert.deepEqual(parameter(list, "subscription"), {type: "Subscription", identifier: {system: "urn:ietf:rfc:3986", value: `urn:uuid:${subscription}`}});
  assert.equal(parameter(list, "type"), type);
  assert.equal(parameter(list, "status"), type === "handshake" ? "requested" : "active");
  const events = list.filter((one) => one.name === "notification-event");
  assert.equal(events.length, type === "event-notification" ? 1 : 0);
  if (events.length === 0) {
    assert.equal(content.length, 0);
    return {bundle};
  }
  const event = events[0].part, number = parameter(event, "event-number");
  assert.equal(parameter(list, "events-since-subscription-start"), number);
  assert.equal(bundle.identifier.value, number);
  assert.equal(parameter(event, "timestamp"), bundle.timestamp);
  const focus = parameter(event, "focus"), topic = parameter(list, "topic");
  if (payload === "full-resource") {
    assert.equal(focus.reference, content[0].fullUrl);
    for (const entry of content) assert.deepEqual(entry.request, {method: "PUT", url: `${entry.resource.resourceType}/${entry.resource.id}`});
  } else {
    assert.equal(content.length, 0);
    assert.doesNotMatch(request.body, /999\d{7}|EXAMPLE|LCS-/);
  }
  if (payload === "id-only") assert.match(focus.identifier.value, /^urn:uuid:/);
  if (payload === "empty") assert.deepEqual([focus, topic, parameter(event, "additional-context")], [undefined, undefined, undefined]);
  else assert.match(topic, /^urn:cpis:topic:(notifications|escalations)$/);
  return {bundle, number: Number(number), event, resources: content.map((entry) => entry.resource), focus: content.length > 0 ? content[0].resource : focus};
}
function one(payload = "full-resource", type = "event-notification") {
  const requests = endpoint.take();
  assert.equal(requests.length, 1);
  return notification(requests[0], type, payload);
}
const kindOf = (told) => told.focus.resourceType === "AuditEvent" ? "ACCESS" : told.focus.category[0].coding[0].code;

// ---------------------------------------------------------------- tests

async function beforehand() {
  await test("the settings are looked at without the network", async () => {
    const {code, out} = await notify(["--check"]);
    assert.equal(code, 0);
    assert.match(out, /in order.*Nothing was sent/);
    assert.equal(endpoint.take().length, 0);
  });

  await test("the README's settings are settings", async () => {
    const text = fs.readFileSync(`${repository}/clients/fhir/README.md`, "utf8");
    const [, block] = /((?:    .*\n)*    #!.*cpis-fhir-notify --config\n(?:    .+\n)+)/.exec(text);
    fs.mkdirSync(world.file("tls"));
    for (const [name, from] of [["council-ca.pem", "ca.pem"], ["cpis.pem", "fhir.pem"], ["cpis.key", "fhir.key"]])
      write(`tls/${name}`, fs.readFileSync(`${tls}/${from}`), 0o600);
    write("authorization", token, 0o600);
    write("readme.yaml", block.replace(/^ {4}/gm, ""), 0o755);
    assert.equal((await run("cpis-fhir-notify", ["--config", "readme.yaml", "--check"])).err, "");
    assert.match(block, /^ {4}#!\/usr\/bin\/cpis-fhir-notify --config\n/);
  });

  await test("an endpoint is tried before any child's data goes there", async () => {
    const {code, out} = await notify(["--handshake"]);
    assert.equal(code, 0, out);
    assert.match(out, /localhost has accepted a handshake/);
    one("full-resource", "handshake");
    assert.equal((await notify(["--heartbeat"])).code, 0);
    one("full-resource", "heartbeat");
    endpoint.answer = (request, response) => response.writeHead(403).end();
    assert.equal((await notify(["--handshake"])).code, 3);
    endpoint.answer = (request, response) => response.writeHead(200).end();
    endpoint.take();
  });

  await test("settings that are wrong are refused with their line, and nothing is sent", async () => {
    world.write("nothing.pem", "no certificate\n");
    world.write("open.key", fs.readFileSync(`${tls}/fhir.key`), 0o644);
    world.write("other.key", crypto.generateKeyPairSync("ec", {namedCurve: "P-256"}).privateKey.export({type: "pkcs8", format: "pem"}), 0o600);
    world.write("sealed.key", crypto.generateKeyPairSync("ec", {namedCurve: "P-256"}).privateKey.export({type: "pkcs8", format: "pem",
      cipher: "aes-256-cbc", passphrase: "secret"}), 0o600);
    world.write("open-token", token, 0o644);
    world.write("two-lines", `${token}\nX-Other: yes\n`, 0o600);
    world.write("blank", "\n", 0o600);
    world.write("large", "x".repeat(70000), 0o600);
    const own = {certificate: `${tls}/fhir.pem`};
    for (const [changes, words] of [[{endpoint: `http://localhost:${endpoint.port}${PATH}`}, /notify\.yaml:2: endpoint is an https address/],
      [{endpoint: `https://user:word@localhost${PATH}`}, /no user, query or fragment/], [{endpoint: `https://localhost${PATH}?child=1`}, /no user, query/],
      [{endpoint: "https://localhost"}, /endpoint is/], [{endpoint: "https://localhost:99999/"}, /endpoint is/], [{endpoint: undefined}, /endpoint/],
      [{subscription: "leeds"}, /subscription is a UUID/], [{payload: "some"}, /payload is full-resource, id-only or empty/], [{payload: undefined}, /payload/],
      [{deadline_s: "0"}, /deadline_s is 1 to 240/], [{deadline_s: "10k"}, /deadline_s is/], [{colour: "red"}, /notify\.yaml:6: .*colour/],
      [{ca_file: undefined}, /ca_file/], [{ca_file: "nowhere.pem"}, /nowhere\.pem: No such file/], [{ca_file: "nothing.pem"}, /nothing\.pem: has no certificate in PEM/],
      [own, /certificate and key go together/], [{key: "other.key"}, /certificate and key go together/],
      [{...own, key: "open.key"}, /open\.key: holds a secret and others than its owner may use it: chmod 600/],
      [{...own, key: "other.key"}, /other\.key: is not the key of `certificate`/], [{...own, key: "sealed.key"}, /sealed\.key: has no private key in PEM, or one with a passphrase/],
      [{...own, key: "nothing.pem", certificate: "nothing.pem"}, /nothing\.pem: /], [{authorization_file: "open-token"}, /open-token: holds a secret and others/],
      [{authorization_file: "two-lines"}, /two-lines: not one line/], [{authorization_file: "blank"}, /blank: not one line/],
      [{authorization_file: "large"}, /large: larger than 64 KiB/], [{authorization_file: "."}, /not a regular file/]]) {
      const {code, err} = await notify(["--check"], "", changes);
      assert.equal(code, 1, JSON.stringify(changes));
      assert.match(err, words);
      assert.ok(!err.includes(token), err);
    }
    for (const args of [[], ["--config"], ["--config", "x", "more"], ["--config", settings(), "--check", "--handshake"], ["--config", settings(), "--send"]])
      assert.equal((await run("cpis-fhir-notify", args)).code, 1, String(args));
    assert.match((await run("cpis-fhir-notify", ["--config", "nowhere.yaml"])).err, /nowhere\.yaml: cannot be opened/);
    assert.equal(endpoint.take().length, 0);
  });

  await test("what is no item of the inbox is refused, says nothing of what it holds, and is not sent", async () => {
    const good = {id: 1, created: "2026-11-18T11:06:40.000Z", acknowledged: null, from: "2026-11-18T11:00:00.000Z", until: "2026-11-18T12:00:00.000Z", kind: "NOTHING"};
    for (const [input, words] of [["", /not one JSON object/], ["nonsense", /not one JSON object/], ["[]", /not an inbox item/], ["{}", /not an inbox item/],
      [JSON.stringify(good) + JSON.stringify(good), /not one JSON object/], [JSON.stringify({...good, id: "1"}), /not an inbox item/],
      [JSON.stringify({...good, id: 0}), /not an inbox item/], [JSON.stringify({...good, created: "soon"}), /not an inbox item/],
      [JSON.stringify({...good, kind: "RIDDLE", child: children.known}), /item 1 of the notifications: it is of a kind that is not known here/],
      [JSON.stringify({...good, more: children.known}), /it has not the form that items of its kind have/],
      [JSON.stringify({...good, until: 5}), /not the form/], [`{"id":1,"id":${children.known}}`, /not one JSON object/], ["x".repeat(1024 * 1024 + 1), /larger than 1 MiB/]]) {
      const {code, err} = await notify([], input);
      assert.equal(code, 1);
      assert.match(err, words);
      assert.match(err, /nothing was sent/);
    }
    assert.equal(endpoint.take().length, 0);
    assert.equal((await notify([], JSON.stringify(good))).code, 0);
    assert.equal(kindOf(one()), "NOTHING");
  });
}

// Every value that an item has, but how far its delivery is.
function leaves(value, found = []) {
  if (Array.isArray(value) || (typeof value === "object" && value !== null)) Object.values(value).forEach((inner) => leaves(inner, found));
  else if (value !== null && typeof value !== "boolean") found.push(String(value));
  return found;
}

async function kinds() {
  const items = (await run("tests/fhir/items", [])).out.trim().split("\n").map((line) => JSON.parse(line));

  await test("items of every kind that the protocol has are told, with every value that they have", async () => {
    assert.ok(items.length >= 11);
    for (const item of items) {
      const {code, err} = await notify([], JSON.stringify(item));
      assert.equal(code, 0, `${item.kind}: ${err}`);
      const told = one();
      assert.equal(kindOf(told), item.kind);
      assert.equal(told.number, item.id);
      const text = JSON.stringify(told.bundle);
      // A look is an AuditEvent by its kind, a plan's type its code of SNOMED CT.
      for (const leaf of leaves({...item, kind: item.kind === "ACCESS" ? [] : item.kind}).map((one) => one === "UCPP" ? "818901000000100" : one))
        assert.ok(text.includes(leaf), `${item.kind}: "${leaf}" is lost in ${text}`);
      if (item.ended !== undefined && item.kind === "PLAN_CHANGE") assert.match(text, /"code":"ended"/);
      if (item.break_glass) assert.match(text, /"code":"BTG"/);
    }
  });

  await test("a value that is left out or added refuses the item: nothing is lost on the way", async () => {
    const name = settings();
    for (const item of items) {
      const others = Object.keys(item).filter((key) => key !== "acknowledged").map((key) => ({...item, [key]: undefined}));
      const ends = await Promise.all([...others, {...item, colour: "red"}].map((other) => run("cpis-fhir-notify", ["--config", name], JSON.stringify(other))));
      assert.deepEqual(ends.map((end) => end.code), ends.map(() => 1), item.kind);
    }
    assert.equal(endpoint.take().length, 0);
  });

  await test("what is escalated is told as that, with its number among the notifications", async () => {
    const [item] = items;
    assert.equal((await notify([], JSON.stringify(item))).code, 0);
    const first = one();
    assert.equal((await notify([], JSON.stringify({...item, notification_id: 77}))).code, 0);
    const told = one();
    assert.equal(told.bundle.identifier.system, "urn:cpis:inbox:escalations");
    assert.deepEqual(parameter(told.event, "additional-context"), {identifier: {system: "urn:cpis:inbox:notifications", value: "77"}});
    assert.notEqual(told.bundle.id, first.bundle.id);
  });

  await test("the same item is the same bytes, whoever has taken it; another item or subscription is not", async () => {
    const send = async (item, changes) => { await notify([], JSON.stringify(item), changes); const [request] = endpoint.take(); return request.body; };
    const [item] = items, body = await send(item);
    assert.equal(await send({...item, leased_by: "Anjali Rao", lease_until: "2026-11-18T12:00:00.000Z", escalated: "2026-11-18T12:00:00.000Z"}), body);
    const ids = [body, await send({...item, id: 99}), await send({...item, created: "2026-11-18T11:06:41.000Z"}), await send(item, {subscription: crypto.randomUUID()})]
      .flatMap((one) => JSON.parse(one).entry.map((entry) => entry.fullUrl).concat(JSON.parse(one).id));
    assert.equal(new Set(ids).size, ids.length);
  });
}

async function journeys() {
  await test("what was in the inbox already is told by `cpis inbox follow --exec` and acknowledged", async () => {
    settings();
    const waiting = unacknowledged();
    assert.ok(waiting.length > 0);
    assert.equal((await follow(waiting.length)).code, 0);
    const told = endpoint.take().map((request) => notification(request, "event-notification", "full-resource"));
    assert.deepEqual(told.map((one) => one.number).sort(), waiting.map((item) => item.id).sort());
    assert.deepEqual(told.map(kindOf).sort(), waiting.map((item) => item.kind).sort());
    assert.equal(unacknowledged().length, 0);
  });

  await test("a look is told as who, in which role, where, when, at whose child", async () => {
    look(children.known);
    const [item] = unacknowledged();
    assert.equal((await follow()).code, 0);
    const told = one();
    const event = told.focus;
    assert.equal(told.number, item.id);
    assert.equal(event.resourceType, "AuditEvent");
    assert.equal(event.agent[0].name, people.nurse.name);
    assert.equal(event.agent[0].role[0].coding[0].code, people.nurse.role);
    assert.deepEqual(event.agent[0].who.identifier, {system: "https://fhir.nhs.uk/Id/sds-user-id", value: people.nurse.uid});
    assert.equal(event.source.observer.identifier.value, "RXH");
    assert.equal(event.source.site, "EMERGENCY_DEPARTMENT");
    assert.ok(Math.abs(Date.parse(event.recorded) - Date.now()) < 300000);
    assert.equal(event.entity[0].what.identifier.value, children.known);
    assert.deepEqual(event.entity[0].detail, [{type: "urn:cpis:local-id", valueString: "LCS-1"},
      {type: "http://snomed.info/sct|342191000000101", valueString: "Subject to child protection plan"}]);
    const record = event.entity[1].what.identifier;
    assert.equal(record.system, "urn:cpis:audit-record");
    assert.equal(record.value, String(item.audit_index));
    assert.equal(unacknowledged().length, 0);
  });

  await test("an enquiry's answer, and what became of it, are told as they come", async () => {
    const number = Number(JSON.parse(world.cpis("worker", ["--json", "inbox", "list", "--all"])).items.find((item) => item.kind === "ACCESS").id);
    world.cpis("worker", ["enquiry", "send", "--about", String(number), "--text", "Who brought the child?"]);
    const asked = JSON.parse(world.cpis("nurse", ["--json", "inbox", "list"])).items.find((item) => item.kind === "ENQUIRY");
    world.cpis("nurse", ["enquiry", "answer", "--about", String(asked.id), "--text", "The grandmother did."]);
    const waiting = unacknowledged();
    assert.ok(waiting.some((item) => item.kind === "ANSWER"));
    assert.equal((await follow(waiting.length)).code, 0);
    const told = endpoint.take().map((request) => notification(request, "event-notification", "full-resource"));
    const answer = told.find((one) => kindOf(one) === "ANSWER").focus;
    assert.deepEqual(answer.payload.map((one) => one.contentString), ["The grandmother did.", "The question was: Who brought the child?"]);
    assert.equal(answer.contained[0].practitioner.display, people.nurse.name);
    assert.equal(answer.subject.identifier.value, children.known);
    assert.deepEqual(told.map(kindOf).sort(), waiting.map((item) => item.kind).sort());
    assert.equal(unacknowledged().length, 0);
  });
}

// What the endpoint does, what becomes of the program, and with which settings.
async function refusals() {
  let item;
  // Told once and not accepted: the exit code and a line that says why; the item is there still, and its bytes are the same later.
  async function notAccepted(code, words, changes = {}, requests = 1, payload = "full-resource") {
    settings(changes);
    const {err} = await follow();
    assert.match(err, new RegExp(`ended with exit code ${code}; it is tried again in 1 s`));
    assert.match(err, words);
    assert.deepEqual(unacknowledged().map((one) => one.id), [item.id]);
    const came = endpoint.take();
    assert.equal(came.length, requests);
    return came.map((request) => notification(request, "event-notification", payload));
  }
  const answers = (status, headers = {}, body = "") => { endpoint.answer = (request, response) => response.writeHead(status, headers).end(body); };

  await test("a look stays unacknowledged while the endpoint does not accept it", async () => {
    look(children.looked_after);
    [item] = unacknowledged();
    for (const [status, code, words] of [[500, 2, /answered 500: it cannot take it now/], [503, 2, /503/], [429, 2, /429/], [408, 2, /408/],
      [400, 3, /answered 400: it refuses it/], [401, 3, /401: it does not accept who we say we are/], [404, 3, /404/], [422, 3, /422/]]) {
      answers(status, {}, `<b>${status}</b>`);
      await notAccepted(code, words);
    }
  });

  await test("a redirect is not followed", async () => {
    answers(307, {location: `https://localhost:${endpoint.port}/elsewhere`});
    await notAccepted(3, /answered 307, a redirect, which is not followed/);
    answers(301, {location: "http://localhost/"});
    await notAccepted(3, /redirect/);
  });

  await test("an endpoint that others certify, of another name, or of an old TLS is told nothing", async () => {
    answers(200);
    world.openssl(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "stranger.key", "-out", "stranger.pem",
      "-days", "2", "-subj", "/CN=stranger"]);
    await notAccepted(4, /localhost is not proven to be the endpoint/, {ca_file: "stranger.pem"}, 0);
    await notAccepted(4, /127\.0\.0\.1 is not proven to be the endpoint/, {endpoint: `https://127.0.0.1:${endpoint.port}${PATH}`}, 0);
    const old = await new Endpoint({cert: fs.readFileSync(`${tls}/fhir.pem`), key: fs.readFileSync(`${tls}/fhir.key`), minVersion: "TLSv1",
      maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0"}).open();
    await notAccepted(4, /is not proven/, {endpoint: `https://localhost:${old.port}${PATH}`}, 0);
    assert.equal(old.take().length, 0);
    await old.close();
    // A certificate that ended yesterday: made as of ten days ago.
    const library = execFileSync("sh", ["-c", "ls /usr/lib/*/faketime/libfaketime.so.1"], {encoding: "utf8"}).trim();
    execFileSync("openssl", ["x509", "-req", "-in", `${tls}/fhir.csr`, "-CA", `${tls}/ca.pem`, "-CAkey", `${tls}/ca.key`, "-CAserial", "ended.srl",
      "-CAcreateserial", "-days", "2", "-extfile", write("ended.ext", "subjectAltName=DNS:localhost\n"), "-out", "ended.pem"],
    {cwd: world.folder, env: {...process.env, LD_PRELOAD: library, FAKETIME: "-10d"}, stdio: "pipe"});
    const ended = await new Endpoint({cert: fs.readFileSync(world.file("ended.pem")), key: fs.readFileSync(`${tls}/fhir.key`)}).open();
    await notAccepted(4, /is not proven.*certificate has expired/, {endpoint: `https://localhost:${ended.port}${PATH}`}, 0);
    assert.equal(ended.take().length, 0);
    await ended.close();
  });

  await test("an answer that is too large or never ends is cut off", async () => {
    answers(200, {}, "x".repeat(200000));
    await notAccepted(3, /answered with more than 65536 bytes/);
    answers(200, {"x-much": "x".repeat(70000)});
    await notAccepted(3, /answered with more than 65536 bytes/);
    endpoint.answer = (request, response) => response.writeHead(200).write("begun");
    await notAccepted(2, /localhost could not be told: .*timed out/, {deadline_s: "1"});
    endpoint.answer = () => {};
    await notAccepted(2, /could not be told/, {deadline_s: "1"});
    const mute = net.createServer(() => {}).listen(0, "127.0.0.1");
    await once(mute, "listening");
    await notAccepted(2, /could not be told: .*timed out/, {deadline_s: "1", endpoint: `https://localhost:${mute.address().port}${PATH}`}, 0);
    mute.close();
    endpoint.answer = (request) => request.socket.destroy();
    await notAccepted(2, /could not be told/);
  });

  await test("settings that were broken meanwhile keep the item", async () => {
    write("token", token, 0o640);
    await notAccepted(1, /token: holds a secret/, {authorization_file: "token"}, 0);
    await notAccepted(1, /payload is/, {payload: "all"}, 0);
    settings();
    fs.chmodSync(world.file("notify.yaml"), 0o644);
    assert.equal((await follow()).code, 1); // `cpis` itself: no program that can be run
    assert.equal(unacknowledged().length, 1);
  });

  await test("a hint does not acknowledge: what was not delivered is still to be read", async () => {
    answers(202);
    for (const payload of ["id-only", "empty"]) {
      const [told] = await notAccepted(5, /the endpoint has the hint; the item stays unacknowledged until somebody has read it/, {payload}, 1, payload);
      assert.equal(told.number, item.id);
    }
  });

  await test("an endpoint that is down is told when it is back, the same bytes, which acknowledges", async () => {
    const {port} = endpoint;
    await endpoint.close();
    await notAccepted(2, /could not be told: .*connect/i, {}, 0);
    await endpoint.open(port);
    let times = 0;
    endpoint.answer = (request, response) => response.writeHead(++times === 1 ? 500 : 200).end();
    settings();
    const {code, err} = await follow(2);
    assert.equal(code, 0);
    assert.match(err, /answered 500/);
    const came = endpoint.take();
    assert.equal(came.length, 2);
    assert.equal(came[0].body, came[1].body);
    assert.equal(came[0].headers["x-request-id"], came[1].headers["x-request-id"]);
    assert.equal(notification(came[1], "event-notification", "full-resource").number, item.id);
    assert.equal(unacknowledged().length, 0);
    const all = JSON.parse(world.cpis("worker", ["--json", "inbox", "list", "--all"])).items.find((one) => one.id === item.id);
    assert.equal(all.settlement, "SEEN");
  });
}

async function credentials() {
  const answers = endpoint.answer = (request, response) => response.writeHead(200).end();

  await test("the Authorization header comes from its file, and from nowhere else", async () => {
    write("token", `${token}\n`, 0o600);
    look(children.second);
    settings({authorization_file: "token"});
    endpoint.answer = (request, response) => response.writeHead(request.headers.authorization === token ? 200 : 401).end();
    const {code, err} = await follow();
    assert.equal(code, 0, err);
    assert.equal(endpoint.received[0].headers.authorization, token);
    one();
    assert.equal(unacknowledged().length, 0);
    assert.equal((await notify(["--handshake"])).code, 3);
    endpoint.answer = answers;
    endpoint.take();
  });

  await test("an endpoint that wants a certificate is shown ours, and no other program's", async () => {
    world.openssl(["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "us.key", "-out", "us.csr", "-subj", "/CN=cpis at leeds"]);
    world.openssl(["x509", "-req", "-in", "us.csr", "-CA", `${tls}/ca.pem`, "-CAkey", `${tls}/ca.key`, "-CAcreateserial", "-CAserial", "us.srl", "-days", "2",
      "-out", "us.pem"]);
    fs.chmodSync(world.file("us.key"), 0o600);
    const strict = await new Endpoint({cert: fs.readFileSync(`${tls}/fhir.pem`), key: fs.readFileSync(`${tls}/fhir.key`), ca: fs.readFileSync(`${tls}/ca.pem`),
      requestCert: true, rejectUnauthorized: true}).open();
    const address = {endpoint: `https://localhost:${strict.port}${PATH}`};
    assert.notEqual((await notify(["--handshake"], "", address)).code, 0);
    assert.equal(strict.take().length, 0);
    const {code, err} = await notify(["--handshake"], "", {...address, certificate: "us.pem", key: "us.key"});
    assert.equal(code, 0, err);
    assert.equal(strict.take()[0].peer.subject.CN, "cpis at leeds");
    await strict.close();
  });

  await test("the environment changes nothing: no proxy, no other authorities, no file with the session's keys", async () => {
    const before = {...process.env};
    Object.assign(process.env, {https_proxy: "http://127.0.0.1:9", ALL_PROXY: "http://127.0.0.1:9", SSL_CERT_FILE: `${tls}/ca.pem`,
      SSLKEYLOGFILE: world.file("keys.log"), HOME: world.folder});
    world.write(".netrc", "machine localhost login someone password word\n", 0o600);
    try {
      assert.equal((await notify(["--handshake"])).code, 0);
      assert.equal((await notify(["--handshake"], "", {ca_file: "stranger.pem"})).code, 4);
    } finally {
      for (const name of ["https_proxy", "ALL_PROXY", "SSL_CERT_FILE", "SSLKEYLOGFILE"]) delete process.env[name];
      process.env.HOME = before.HOME;
    }
    const [request] = endpoint.take();
    assert.equal(request.headers.authorization, undefined);
    assert.ok(!fs.existsSync(world.file("keys.log")));
  });
}

async function ending() {
  await test("nothing that was said names a child, a person or a secret", async () => {
    assert.ok(said.length > 1000);
    for (const word of [...Object.values(children), ...Object.values(people).map((person) => person.name), "LCS-", "EXAMPLE", "grandmother", token.slice(7), "name 2"])
      assert.ok(!said.includes(word), `${word}: ${said}`);
    assert.doesNotMatch(said, /999\d{7}/);
  });
}

async function main() {
  process.exitCode = 1; // until all of it has been run
  world = await makeFhirWorld(0, false);
  endpoint = await new Endpoint({cert: fs.readFileSync(`${tls}/fhir.pem`), key: fs.readFileSync(`${tls}/fhir.key`)}).open();
  try {
    await beforehand();
    await kinds();
    await journeys();
    await refusals();
    await credentials();
    await ending();
  } finally {
    if (trials.failed > 0) console.log(`---- said\n${said}`);
    await endpoint.close();
    await world.stop();
  }
  console.log(`${count()} resources held against the R4 schema and invariants`);
  trials.end();
}

main().catch((error) => { console.log(error.stack); process.exitCode = 1; });
