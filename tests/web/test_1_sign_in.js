// How people get in, and out again: by passkey, by certificate without scripts, by nothing else.
"use strict";
const assert = require("node:assert/strict");
const {checkHeaders} = require("./browser.js");
const {people} = require("./world.js");

module.exports = async ({world, browsers, test}) => {
  const hospital = world.gateways.hospital;

  await test("who has not signed in is shown how, whatever they ask for", async () => {
    const page = await browsers.visitor();
    for (const path of ["/", "/lookup", "/inbox", "/about", "/audit", "/operations"]) {
      const response = await page.goto(hospital.origin + path);
      if (response.status() === 404) continue; // a page that this build has not
      assert.equal(await page.textContent("h1"), "Sign in", path);
      checkHeaders(response.headers(), path);
    }
    await browsers.look(page, "sign-in");
    await page.goto(`${hospital.origin}/nothing`);
    await browsers.look(page, "no-such-page");
  });

  await test("a new passkey is certified by its fingerprint and opens the door", async () => {
    const {request, fingerprint} = await browsers.enrol("nurse");
    assert.match(request, /^cpis-passkey-request-v1\nuid: 555000000001\nname: Grace Okafor\ncredential: [\w-]+\nkey: [\w-]+\n$/);
    assert.match(fingerprint, /^[0-9a-f]{4}(-[0-9a-f]{4}){4}$/);
    const page = await browsers.signIn("nurse");
    assert.equal(new URL(page.url()).pathname, "/lookup");
    assert.match(await page.textContent("header"), /Grace Okafor, Nurse Access/);
    await page.goto(`${page.origin}/passkey`);
    await browsers.look(page, "passkey");
    await page.goto(`${page.origin}/about`);
    await browsers.look(page, "about");
    await page.context().close();
  });

  await test("after signing in one is where one wanted to go", async () => {
    const page = await browsers.withPasskey("nurse");
    await page.goto(`${page.origin}/about`);
    await page.selectOption("#role", "R8001");
    await Promise.all([page.waitForURL("**/about"), page.click("#passkey")]);
    await page.context().close();
  });

  await test("a certificate lets people in without scripts, with a P-256 key and with an RSA key", async () => {
    for (const type of ["p256", "rsa"]) {
      const page = await browsers.signInByCertificate("receptionist", {javaScriptEnabled: false}, type);
      assert.equal(new URL(page.url()).pathname, "/about", type);
      assert.match(await page.textContent("main"), /Tom Archer/);
      await page.click("text=Sign out");
      assert.equal(await page.textContent("h1"), "Sign in");
    }
  });

  await test("a role that is not one's own is refused by the broker, in words", async () => {
    const page = await browsers.withPasskey("nurse");
    await page.goto(`${page.origin}/sign-in`);
    await page.selectOption("#role", "R0050");
    await page.click("#passkey");
    await page.waitForSelector(".nhsuk-error-summary");
    assert.match(await page.textContent(".nhsuk-error-summary"), /no such role profile/);
    await browsers.look(page, "sign-in-refused");
    await page.context().close();
  });

  await test("a passkey that nobody has certified opens nothing", async () => {
    const page = await browsers.visitor();
    await browsers.authenticator(page);
    await page.goto(`${hospital.origin}/passkey`);
    await page.fill("#uid", people.nurse.uid);
    await page.fill("#name", people.nurse.name);
    await Promise.all([page.waitForEvent("download"), page.click("text=Make the passkey and save the request")]);
    await page.goto(`${hospital.origin}/sign-in`);
    await page.click("#passkey");
    await page.waitForSelector(".nhsuk-error-summary");
    assert.match(await page.textContent(".nhsuk-error-summary"), /has not been certified/);
    await page.context().close();
  });

  await test("a passkey without its PIN or fingerprint opens nothing", async () => {
    const page = await browsers.visitor();
    const {cdp, authenticatorId} = await browsers.authenticator(page);
    await cdp.send("WebAuthn.addCredential", {authenticatorId, credential: browsers.passkeys.nurse});
    await cdp.send("WebAuthn.setUserVerified", {authenticatorId, isUserVerified: false});
    await page.goto(`${hospital.origin}/sign-in`);
    await page.click("#passkey");
    await page.waitForFunction(() => document.getElementById("passkey-problem").textContent !== "");
    assert.match(await page.textContent("#passkey-problem"), /No passkey was used/);
    await page.context().close();
  });

  await test("signing out ends the session at the broker: the cookie that was kept opens nothing", async () => {
    const page = await browsers.signIn("nurse");
    const kept = await page.context().cookies();
    await page.click("text=Sign out");
    assert.equal(await page.textContent("h1"), "Sign in");
    await page.context().clearCookies();
    await page.context().addCookies(kept);
    await page.goto(`${page.origin}/inbox`);
    assert.match(await page.textContent("main"), /signed out/);
    await page.context().close();
  });

  await test("whoever does nothing is warned, and can stay", async () => {
    const page = await browsers.signIn("nurse");
    await page.clock.install();
    await page.goto(`${page.origin}/about`);
    await page.clock.runFor(541000);
    assert.ok(await page.isVisible("#lock-warning"));
    await browsers.look(page, "lock-warning");
    await page.click("#lock-stay");
    assert.ok(!await page.isVisible("#lock-warning"));
    // By the gateway's clock they are still there, so they only come back to the start.
    await Promise.all([page.waitForURL("**/lookup"), page.clock.runFor(601000)]);
    await page.context().close();
  });

  await test("who did nothing for ten minutes is locked out by the gateway, and shows that it is still them", async () => {
    // A second gateway of the same organisation, whose clock is eleven minutes ahead.
    const late = await world.startGateway("hospital", "later", "libfaketime.so.1", "+11m");
    const page = await browsers.signIn("nurse");
    await page.goto(`${late.origin}/about`);
    assert.equal(await page.textContent("h1"), "Locked: show that it is still you");
    assert.equal(await page.inputValue("#role"), "R8001");
    await browsers.look(page, "locked");
    await page.goto(`${page.origin}/about`);
    assert.equal(await page.textContent("h1"), "Sign in", "the cookie is gone");
    await page.context().close();
  });
};
