// How the service runs, as its operators see it.
"use strict";
const assert = require("node:assert/strict");
const {checkHeaders} = require("./browser.js");

module.exports = async ({browsers, test}) => {
  await test("operators see traffic, times, what waits, certificates and the log", async () => {
    const page = await browsers.signIn("operator");
    assert.equal(new URL(page.url()).pathname, "/operations");
    checkHeaders((await page.reload()).headers(), "operations");
    const text = await page.textContent("main");
    for (const part of ["broker-1", "sqlite", "Requests by second", "Last minute", "What waits to be read", "The broker's own, until", "Revocation lists, until",
      "no witnesses are wanted", "Let in"]) assert.ok(text.includes(part), `${part} in ${text}`);
    await browsers.look(page, "operations");
    await page.context().close();
  });

  await test("the figures come again by themselves, and do not keep the lock away", async () => {
    const page = await browsers.signIn("operator");
    await page.waitForFunction(() => Number(document.getElementById("live").dataset.told) >= 2, undefined, {timeout: 20000});
    const before = await page.locator("dt:has-text('Records') + dd").textContent();
    await page.waitForFunction((then) => [...document.querySelectorAll("dt")].find((d) => d.textContent === "Records").nextElementSibling.textContent !== then, before,
      {timeout: 20000});
    assert.deepEqual(page.faults, []);
    const event = await page.request.get(`${page.origin}/operations/events`);
    assert.match(event.headers()["content-type"], /^text\/event-stream/);
    assert.match(await event.text(), /^retry: \d+\ndata: [\s\S]*\n\n$/);
    await page.context().close();
  });

  await test("without scripts the page is there too, and by keyboard", async () => {
    const page = await browsers.signInByCertificate("operator");
    await page.focus("text=Operations");
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
    assert.equal(await page.textContent("h1"), "How the service runs");
  });

  await test("nobody else sees how the service runs", async () => {
    for (const name of ["nurse", "worker", "officer"]) {
      const page = await browsers.signIn(name);
      for (const path of ["/operations", "/operations/events"]) {
        await page.goto(page.origin + path);
        assert.match(await page.textContent("main"), /organisation_type|role_lacks_activity/, `${name} ${path}`);
      }
      await page.context().close();
    }
  });
};
