// Attacks on the pages, each shown to fail.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const https = require("node:https");
const {checkHeaders} = require("./browser.js");
const {children} = require("./world.js");

// A request as somebody without a browser sends it.
function send(gateway, path, {method = "GET", headers = {}, body, host = gateway.host} = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request({host: "127.0.0.1", port: gateway.port, servername: host, path, method, rejectUnauthorized: false,
      headers: {Host: `${gateway.host}:${gateway.port}`, ...(body === undefined ? {} : {"Content-Type": "application/x-www-form-urlencoded"}), ...headers}},
    (response) => {
      let text = "";
      response.on("data", (chunk) => { text += chunk; });
      response.on("end", () => resolve({status: response.statusCode, headers: response.headers, text}));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const jar = (cookies) => cookies.map((c) => `${c.name}=${c.value}`).join("; ");
const isSignIn = (answer) => /<h1[^>]*>(Sign in|Locked)/.test(answer.text);

module.exports = async ({world, browsers, test}) => {
  const hospital = world.gateways.hospital, council = world.gateways.council;
  const page = await browsers.signIn("nurse");
  const cookies = await page.context().cookies();
  const session = cookies.find((c) => c.name === "__Host-cpis").value;
  const mark = await page.getAttribute("form input[name=mark]", "value");

  await test("cookies are for this host alone, out of scripts' reach, and not sent from elsewhere", async () => {
    for (const cookie of cookies) {
      assert.ok(cookie.name.startsWith("__Host-") && cookie.secure && cookie.httpOnly && cookie.sameSite === "Strict" && cookie.path === "/", cookie.name);
      assert.equal(cookie.domain, hospital.host);
    }
  });

  await test("a forged cookie is nobody's", async () => {
    const flipped = (at) => session.slice(0, at) + (session[at] === "A" ? "B" : "A") + session.slice(at + 1);
    assert.ok(!isSignIn(await send(hospital, "/lookup", {headers: {Cookie: `__Host-cpis=${session}`}})), "the real one is somebody's");
    for (const at of [0, 10, 40, Math.floor(session.length / 2), session.length - 2])
      assert.ok(isSignIn(await send(hospital, "/lookup", {headers: {Cookie: `__Host-cpis=${flipped(at)}`}})), `flipped at ${at}`);
    for (const value of ["", "x", session.slice(1), session + "A", "A".repeat(4000), Buffer.from("{\"uid\":\"555000000001\"}").toString("base64url")])
      assert.ok(isSignIn(await send(hospital, "/lookup", {headers: {Cookie: `__Host-cpis=${value}`}})), value.slice(0, 20));
    // A visitor's cookie, which the gateway sealed itself, is not a person's.
    const visitor = (await send(hospital, "/sign-in")).headers["set-cookie"].join().match(/__Host-cpis-visitor=([\w-]+)/)[1];
    assert.ok(isSignIn(await send(hospital, "/lookup", {headers: {Cookie: `__Host-cpis=${visitor}`}})));
  });

  await test("a person's cookie is worth nothing through another organisation's gateway", async () => {
    // Both gateways of this world have one sealing key, so that it opens there: the broker refuses the token.
    const answer = await send(council, "/inbox", {headers: {Cookie: `__Host-cpis=${session}`}});
    assert.equal(answer.status, 403);
    assert.match(answer.text, /session_invalid/);
  });

  await test("a form that another site posts does nothing", async () => {
    const question = {nhs_number: children.known, birth_day: "1", birth_month: "1", birth_year: "2020", care_setting: "emergency_department", mark};
    const post = (fields, headers) => send(hospital, "/lookup", {method: "POST", body: new URLSearchParams(fields).toString(), headers: {Cookie: jar(cookies),
      Origin: hospital.origin, ...headers}});
    assert.equal((await post(question, {})).status, 200, "ours does something");
    for (const [what, fields, headers] of [
      ["without the mark", {...question, mark: ""}, {}],
      ["with another mark", {...question, mark: mark.replace(/^./, mark[0] === "0" ? "1" : "0")}, {}],
      ["of another origin", question, {Origin: "https://evil.test"}],
      ["of an origin that looks alike", question, {Origin: `https://${hospital.host}.evil.test:${hospital.port}`}],
      ["of no origin", question, {Origin: "null"}],
      ["of another site, as the browser says", question, {"Sec-Fetch-Site": "cross-site"}],
      ["of another host of this site, as the browser says", question, {"Sec-Fetch-Site": "same-site"}]
    ]) {
      const answer = await post(fields, headers);
      assert.equal(answer.status, 403, what);
      assert.match(answer.text, /Nothing was done/, what);
    }
    for (const path of ["/sign-out", "/inbox/acknowledge", "/inbox/ask", "/inbox/answer", "/act", "/act/challenge", "/stay", "/lookup/break-glass",
      "/sign-in/passkey", "/sign-in/certificate", "/sign-in/passkey/challenge", "/passkey/request"])
      assert.equal((await send(hospital, path, {method: "POST", body: "mark=0", headers: {Cookie: jar(cookies), Origin: hospital.origin}})).status, 403, path);
  });

  await test("nothing that is posted is done by an address", async () => {
    for (const path of ["/sign-out", "/inbox/acknowledge?id=1", "/act", "/lookup/break-glass", "/passkey/request"])
      assert.equal((await send(hospital, path, {headers: {Cookie: jar(cookies)}})).status, 404, path);
  });

  await test("script in any field comes back as text", async () => {
    const script = "\"'><script>window.owned=1</script><img src=x onerror=window.owned=1>";
    await page.goto(`${page.origin}/lookup`);
    await page.$$eval("form[action$='/lookup'] input[type=text]", (inputs, text) => inputs.forEach((input) => { input.removeAttribute("maxlength"); input.value = text; }), script);
    await page.click("button:has-text('Look up')");
    assert.equal(await page.inputValue("#nhs_number"), script);
    assert.equal(await page.inputValue("#reason"), script);
    assert.equal(await page.evaluate("window.owned"), undefined);
    assert.equal(await page.locator("img").count(), 0);
    // In every field of every form that renders what it was sent, and in the query.
    for (const [path, names] of [["/lookup", ["nhs_number", "birth_day", "birth_month", "birth_year", "care_setting", "reason"]],
      ["/lookup/break-glass", ["nhs_number", "care_setting", "reason"]], ["/inbox/ask", ["id", "text", "show", "look"]], ["/inbox/answer", ["id", "text", "show"]],
      ["/act", ["act", "credential"]], ["/sign-in/passkey", ["pending", "credential"]], ["/passkey/request", ["uid", "name", "credential", "key"]]])
      for (const name of names) {
        const fields = {mark, ...Object.fromEntries(names.map((n) => [n, "1234567890"])), [name]: script};
        const answer = await send(hospital, path, {method: "POST", body: new URLSearchParams(fields).toString(), headers: {Cookie: jar(cookies), Origin: hospital.origin}});
        assert.ok(!answer.text.includes("<script>window") && !answer.text.includes("<img"), `${path} ${name}`);
      }
    for (const query of ["/inbox?show=", "/inbox?after=", "/sign-in/arrive?arrival=", "/about?x="]) {
      const answer = await send(hospital, query + encodeURIComponent(script), {headers: {Cookie: jar(cookies)}});
      assert.ok(!answer.text.includes("<script>window"), query);
    }
  });

  await test("script that an authority published, or a member of staff is called, stays text", async () => {
    await page.goto(`${page.origin}/lookup`);
    const worker = await browsers.signIn("worker");
    const local = worker.locator("dd", {hasText: "<b>LCS-3"}).first();
    await worker.goto(`${worker.origin}/inbox?show=all`);
    assert.equal(await local.textContent(), "<b>LCS-3");
    assert.equal(await worker.locator("dd b").count(), 0);
    await worker.context().close();
  });

  await test("a page of ours cannot be framed", async () => {
    const visitor = await browsers.visitor();
    await visitor.goto(`${council.origin}/sign-in`);
    const framed = await visitor.evaluate((address) => new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.onload = () => { try { resolve(frame.contentDocument === null ? "closed" : frame.contentDocument.title); } catch { resolve("closed"); } };
      frame.onerror = () => resolve("closed");
      frame.src = address;
      document.body.appendChild(frame);
      setTimeout(() => resolve("closed"), 3000);
    }), `${hospital.origin}/sign-in`);
    assert.notEqual(framed, "Sign in - Child protection information");
    for (const path of ["/sign-in", "/passkey", "/locked", "/nothing"]) checkHeaders((await send(hospital, path)).headers, path);
    checkHeaders((await send(hospital, "/lookup", {headers: {Cookie: jar(cookies)}})).headers, "/lookup");
    await visitor.context().close();
  });

  await test("a session that was planted before signing in is not the one that is signed in to", async () => {
    const victim = await browsers.withPasskey("worker");
    await victim.goto(`${victim.origin}/sign-in`);
    const planted = (await victim.context().cookies()).find((c) => c.name === "__Host-cpis-visitor").value;
    await victim.click("#passkey");
    await victim.waitForURL("**/inbox");
    const after = await victim.context().cookies();
    assert.ok(!after.some((c) => c.value === planted), "the visitor's cookie is gone");
    assert.ok(isSignIn(await send(council, "/inbox", {headers: {Cookie: `__Host-cpis-visitor=${planted}`}})));
    await victim.context().close();
  });

  await test("nobody is signed in as somebody else by an address that they are sent", async () => {
    const attacker = await browsers.withCertificate("nurse");
    let arrival = null;
    await attacker.route("**/sign-in/arrive**", (route) => { arrival = route.request().url(); return route.abort(); });
    attacker.on("request", (r) => { if (r.url().includes("/sign-in/arrive")) arrival = r.url(); });
    await attacker.goto(`${attacker.origin}/sign-in`);
    await attacker.click("text=Sign in with your smartcard or certificate").catch(() => {});
    await attacker.waitForLoadState().catch(() => {});
    assert.ok(arrival, "the attacker's own arrival");
    const victim = await browsers.visitor();
    await victim.goto(arrival);
    assert.match(await victim.textContent("main"), /begun in another browser/);
    await victim.goto(`${hospital.origin}/lookup`);
    assert.equal(await victim.textContent("h1"), "Sign in");
    await victim.context().close();
  });

  await test("a sign-in that was overheard opens nothing a second time", async () => {
    const victim = await browsers.withPasskey("nurse");
    await victim.goto(`${victim.origin}/sign-in`);
    const visitor = jar(await victim.context().cookies());
    const sent = victim.waitForRequest((r) => r.method() === "POST" && new URL(r.url()).pathname === "/sign-in/passkey");
    await victim.click("#passkey");
    const body = (await sent).postData();
    await victim.waitForURL("**/lookup");
    const again = await send(hospital, "/sign-in/passkey", {method: "POST", body, headers: {Cookie: visitor, Origin: hospital.origin}});
    assert.equal(again.status, 403);
    assert.match(again.text, /The session statement was used before/);
    // In another browser it does not even get as far as the broker.
    const other = await send(hospital, "/sign-in");
    const cookie = other.headers["set-cookie"].join().match(/__Host-cpis-visitor=[\w-]+/)[0], theirs = other.text.match(/name="mark" value="(\w+)"/)[1];
    const fields = new URLSearchParams(body);
    fields.set("mark", theirs);
    const elsewhere = await send(hospital, "/sign-in/passkey", {method: "POST", body: fields.toString(), headers: {Cookie: cookie, Origin: hospital.origin}});
    assert.match(elsewhere.text, /begun in another window/);
    await victim.context().close();
  });

  await test("a host that takes proofs serves nothing else, and nobody without a certificate", async () => {
    const label = "a".repeat(52);
    const there = {host: `${label}.${hospital.host}`, headers: {Host: `${label}.${hospital.host}:${hospital.port}`}};
    const nobody = await send(hospital, "/proof/sign-in", there);
    assert.equal(nobody.status, 403);
    assert.match(nobody.text, /no certificate was chosen/);
    assert.equal((await send(hospital, "/lookup", there)).status, 404);
    for (const host of ["evil.test", `${"a".repeat(51)}.${hospital.host}`, `${"A".repeat(52)}.x.${hospital.host}`, "council.cpis.test"])
      await assert.rejects(send(hospital, "/", {host}), undefined, host);
    assert.equal((await send(hospital, "/", {headers: {Host: "evil.test"}})).status, 421);
    assert.equal((await send(hospital, "/proof/sign-in?pending=x")).status, 404);
  });

  await test("what cannot be read is refused, and the gateway goes on", async () => {
    const post = (body, headers = {}) => send(hospital, "/lookup", {method: "POST", body, headers: {Cookie: jar(cookies), Origin: hospital.origin, ...headers}});
    assert.equal((await post("a")).status, 400);
    assert.equal((await post("{}", {"Content-Type": "application/json"})).status, 400);
    assert.ok([400, 413].includes((await post("x=" + "y".repeat(70000))).status));
    assert.equal((await post(`mark=${mark}&nhs_number=%00%ff%fe&reason=%c0%80`)).status, 400);
    await assert.rejects(send(hospital, "/", {headers: {Cookie: "x".repeat(30000)}}).then((a) => { if (a.status >= 400) throw new Error("refused"); }));
    for (const method of ["PUT", "DELETE", "TRACE", "OPTIONS"]) assert.ok((await send(hospital, "/lookup", {method})).status >= 400, method);
    assert.equal((await send(hospital, "/sign-in")).status, 200);
  });

  await test("the gateway keeps nothing: no child, no token, no cookie in its files or its log", async () => {
    const token = session.slice(0, 40);
    for (const name of fs.readdirSync(world.folder)) {
      if (!name.startsWith("gateway-")) continue;
      const text = fs.readFileSync(world.file(name), "utf8");
      assert.ok(!/999000\d{4}|999 000 \d{4}|EXAMPLE|swing/.test(text) && !text.includes(token), name);
    }
  });

  await page.context().close();
};
