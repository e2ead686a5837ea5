// Debian's Chromium, driven: people who sign in with a passkey or with a certificate, and what every page is held to.
"use strict";
const {execFileSync} = require("node:child_process");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const {build, people, organisations} = require("./world.js");
const modules = path.join(build, "web/tests/node_modules");
const {chromium} = require(path.join(modules, "playwright-core"));
const axeSource = fs.readFileSync(path.join(modules, "axe-core/axe.min.js"), "utf8");
const screenshots = path.join(build, "web/screenshots");

const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const AUTHENTICATOR = {protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
  automaticPresenceSimulation: true};
// A managed computer chooses the person's certificate by itself; of this test's hosts alone. run.sh gives each run such a folder of its own.
const POLICY = "/etc/chromium/policies/managed/cpis-web-tests.json";

class Browsers {
  constructor(world) {
    this.world = world;
    this.open = [];
    this.passkeys = {};
    this.stores = {};
    this.homes = {};
    fs.mkdirSync(screenshots, {recursive: true});
    fs.mkdirSync(path.dirname(POLICY), {recursive: true});
    fs.writeFileSync(POLICY, JSON.stringify({AutoSelectCertificateForUrls: ['{"pattern":"https://[*.]cpis.test","filter":{}}']}));
  }

  async launch(home) {
    const browser = await chromium.launch({executablePath: "/usr/bin/chromium", env: {...process.env, ...(home ? {HOME: home} : {})}, args: ["--no-sandbox",
      "--disable-gpu", "--disable-extensions", "--no-first-run", "--host-resolver-rules=MAP *.cpis.test 127.0.0.1", `--ignore-certificate-errors-spki-list=${this.world.spki.join(",")}`]});
    this.open.push(browser);
    return browser;
  }
  async shared() { return this.plain ||= await this.launch(); }

  // Between files of tests: a browser that stands by still uses the processor.
  async rest() {
    for (const browser of this.open) await browser.close();
    this.open = [];
    this.homes = {...this.homes, ...Object.fromEntries(Object.keys(this.stores).map((key) => [key, this.world.file(`home-${key.replace(" ", "-")}`)]))};
    this.stores = {};
    this.plain = undefined;
  }

  async close() {
    await this.rest();
    fs.rmSync(POLICY, {force: true});
  }

  // A new visitor's page. What it should never do is noted in `faults`: scripts or styles that the policy refuses, errors, requests to
  // elsewhere, numbers in addresses.
  async visitor(options = {}) {
    const context = await (options.browser || await this.shared()).newContext(options);
    const page = await context.newPage();
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push(`error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" && !/status of (4|5)\d\d/.test(message.text())) page.faults.push(`console: ${message.text()}`);
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol !== "blob:" && !Object.values(organisations).some((o) => url.hostname === o.host || url.hostname.endsWith(`.${o.host}`)))
        page.faults.push(`elsewhere: ${url}`);
      if (/999\d{7}|5550000000\d\d/.test(decodeURIComponent(url.href).replace(/[+ -]/g, ""))) page.faults.push(`a number in an address: ${url}`);
    });
    return page;
  }

  // ---------------------------------------------------------------- passkeys

  async authenticator(page, options = AUTHENTICATOR) {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    const {authenticatorId} = await cdp.send("WebAuthn.addVirtualAuthenticator", {options});
    return {cdp, authenticatorId};
  }

  // What the person and their registration authority do once. Returns the saved request and its fingerprint.
  async enrol(name) {
    const person = people[name], gateway = this.world.gateways[person.at];
    const page = await this.visitor();
    const {cdp, authenticatorId} = await this.authenticator(page);
    await page.goto(`${gateway.origin}/passkey`);
    await page.fill("#uid", person.uid);
    await page.fill("#name", person.name);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Make the passkey and save the request")]);
    const request = fs.readFileSync(await download.path(), "utf8");
    const fingerprint = (await page.textContent("#fingerprint")).replace("Fingerprint: ", "");
    const {credentials} = await cdp.send("WebAuthn.getCredentials", {authenticatorId});
    this.world.certifyPasskey(request, fingerprint, name);
    await page.context().close();
    this.passkeys[name] = credentials[0];
    return {request, fingerprint};
  }

  // A page of somebody who has their passkey at hand, and has not signed in.
  async withPasskey(name, options) {
    if (!this.passkeys[name]) await this.enrol(name);
    const page = await this.visitor(options);
    const {cdp, authenticatorId} = await this.authenticator(page);
    await cdp.send("WebAuthn.addCredential", {authenticatorId, credential: this.passkeys[name]});
    page.person = people[name];
    page.origin = this.world.gateways[people[name].at].origin;
    return page;
  }

  async signIn(name, options) {
    const page = await this.withPasskey(name, options);
    await page.goto(`${page.origin}/sign-in`);
    await page.selectOption("#role", page.person.role);
    await Promise.all([page.waitForURL((url) => url.pathname !== "/sign-in"), page.click("#passkey")]);
    return page;
  }

  // ---------------------------------------------------------------- certificates

  // A browser whose person has a certificate, as from a smartcard, in its own store. Scripts only where they are asked for.
  async withCertificate(name, options = {javaScriptEnabled: false}, type = "p256") {
    const browser = this.stores[`${name} ${type}`] ||= await this.launch(this.homes[`${name} ${type}`] || this.certificateStore(name, type));
    const page = await this.visitor({...options, browser});
    page.person = people[name];
    page.origin = this.world.gateways[people[name].at].origin;
    page.scripts = options.javaScriptEnabled !== false;
    return page;
  }

  // A home folder whose certificate store has the person's key.
  certificateStore(name, type) {
    const {cert, key} = this.world.browserCertificate(name, type), home = this.world.file(`home-${name}-${type}`), database = `sql:${home}/.pki/nssdb`;
    fs.mkdirSync(`${home}/.pki/nssdb`, {recursive: true});
    this.world.write(`${name}.crt`, cert);
    this.world.write(`${name}.ckey`, key, 0o600);
    this.world.openssl(["pkcs12", "-export", "-in", `${name}.crt`, "-inkey", `${name}.ckey`, "-out", `${name}.p12`, "-passout", "pass:", "-name", name]);
    execFileSync("certutil", ["-d", database, "-N", "--empty-password"]);
    execFileSync("pk12util", ["-d", database, "-i", this.world.file(`${name}.p12`), "-W", "", "-K", ""], {stdio: "pipe"});
    return home;
  }

  async signInByCertificate(name, options, type) {
    const page = await this.withCertificate(name, options, type);
    await page.goto(`${page.origin}/sign-in`);
    await page.selectOption("#role", page.person.role);
    await Promise.all([page.waitForURL((url) => !/sign-in/.test(url.pathname)), page.click("text=Sign in with your smartcard or certificate")]);
    return page;
  }

  // ---------------------------------------------------------------- what every page is held to

  // Looks at the page as it stands and keeps a picture of it under this name.
  async look(page, name) {
    await page.screenshot({path: path.join(screenshots, `${name}.png`), fullPage: true});
    if (page.scripts !== false) {
      await page.evaluate(axeSource);
      const result = await page.evaluate((tags) => axe.run(document, {runOnly: {type: "tag", values: tags}}), WCAG);
      assert.deepEqual(result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ").slice(0, 300)}`), [], `${name}: accessibility`);
    }
    const size = page.viewportSize();
    await page.setViewportSize({width: 320, height: 640});
    const width = await page.evaluate(() => document.scrollingElement.scrollWidth);
    await page.screenshot({path: path.join(screenshots, `${name}-320.png`), fullPage: true});
    await page.setViewportSize(size);
    assert.ok(width <= 320, `${name}: ${width} CSS pixels wide at 320`);
    assert.equal(await page.locator("h1").count(), 1, `${name}: one main heading`);
    assert.deepEqual(page.faults, [], name);
  }
}

// The headers that every answer has.
function checkHeaders(headers, name) {
  const policy = headers["content-security-policy"] || "";
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"])
    assert.ok(policy.includes(part), `${name}: ${part}`);
  assert.ok(!/unsafe-inline|unsafe-eval|\*[;\s]/.test(policy.replace(/https:\/\/\*\.\S+/g, "")), `${name}: ${policy}`);
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["x-frame-options"], "DENY");
  assert.equal(headers["cache-control"], "no-store", name);
  assert.match(headers["strict-transport-security"], /max-age=31536000/);
  assert.equal(headers["cross-origin-opener-policy"], "same-origin");
  assert.equal(headers["referrer-policy"], "strict-origin");
}

module.exports = {Browsers, checkHeaders, organisations};
