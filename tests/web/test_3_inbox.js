// The inbox: social care learns that a child was seen, asks, and is answered.
"use strict";
const assert = require("node:assert/strict");
const {checkHeaders} = require("./browser.js");
const {children} = require("./world.js");

// What would be markup if anybody let it.
const HOSTILE = "<script>window.owned = 1</script><img src=x onerror=\"window.owned = 1\">&amp;'\"";

module.exports = async ({world, browsers, test}) => {
  world.cpis("nurse", ["query", "--details", children.second, "--reason", `seen at night ${HOSTILE}`]);

  await test("social care sees who saw the child, where, and why", async () => {
    const page = await browsers.signIn("worker");
    assert.equal(new URL(page.url()).pathname, "/inbox");
    const response = await page.reload();
    checkHeaders(response.headers(), "inbox");
    const item = page.locator(".nhsuk-card", {hasText: "999 000 0034"}).first();
    const text = await item.textContent();
    for (const part of ["Grace Okafor, Nurse Access", "University Hospitals Sussex, emergency department", "child protection plan", HOSTILE, "New"])
      assert.ok(text.includes(part), `${part} in ${text}`);
    assert.equal(await page.evaluate("window.owned"), undefined);
    await browsers.look(page, "inbox");
    await page.context().close();
  });

  await test("a question that is too short comes back with what is wrong, and what was written", async () => {
    const page = await browsers.signIn("worker");
    const item = page.locator(".nhsuk-card", {hasText: "999 000 0034"}).first();
    await item.locator("summary").click();
    await item.locator("textarea").fill("Why? <b>");
    await item.locator("text=Send the question").click();
    assert.match(await page.textContent(".nhsuk-error-summary"), /at least 10 characters/);
    assert.equal(await page.locator("details[open] textarea").inputValue(), "Why? <b>");
    await browsers.look(page, "inbox-problem");
    await page.context().close();
  });

  await test("a question goes to who looked, and its answer comes back, by the keyboard and without scripts", async () => {
    const asker = await browsers.signInByCertificate("worker");
    const item = asker.locator(".nhsuk-card", {hasText: "999 000 0034"}).first();
    await item.locator("summary").focus();
    await asker.keyboard.press("Enter");
    await asker.keyboard.press("Tab");
    await asker.keyboard.type(`Was the mother there? ${HOSTILE}`);
    await asker.keyboard.press("Tab");
    await Promise.all([asker.waitForNavigation(), asker.keyboard.press("Enter")]);

    const answerer = await browsers.signIn("nurse");
    await answerer.goto(`${answerer.origin}/inbox`);
    const question = answerer.locator(".nhsuk-card", {hasText: "Social care asks you"}).first();
    assert.ok((await question.textContent()).includes(`Was the mother there? ${HOSTILE}`));
    await browsers.look(answerer, "inbox-enquiry");
    await question.locator("summary").click();
    await question.locator("textarea").fill(`Yes, she came with her. ${HOSTILE}`);
    await question.locator("text=Send the answer").click();
    await answerer.waitForURL("**/inbox");
    assert.equal(await answerer.evaluate("window.owned"), undefined);

    await asker.goto(`${asker.origin}/inbox`);
    const answer = asker.locator(".nhsuk-card", {hasText: "An answer to your question"}).first();
    assert.ok((await answer.textContent()).includes(`Yes, she came with her. ${HOSTILE}`));
    await answerer.context().close();
  });

  await test("what was seen or acted on is waiting no more, and is found among all", async () => {
    const page = await browsers.signIn("worker");
    const waiting = () => page.locator("main p", {hasText: "waiting"}).first().textContent();
    const before = Number((await waiting()).split(" ")[0]);
    await page.locator("button:has-text('Seen')").first().click();
    await page.waitForURL("**/inbox");
    await page.locator("button:has-text('Acted on')").first().click();
    await page.waitForURL("**/inbox");
    const after = await waiting();
    assert.equal(/^Nothing/.test(after) ? 0 : Number(after.split(" ")[0]), before - 2);
    await page.click("text=All, acknowledged too");
    assert.ok((await page.locator(".nhsuk-tag--green").allTextContents()).includes("Acted on"));
    await browsers.look(page, "inbox-all");
    await page.click("text=Escalated");
    await browsers.look(page, "inbox-escalated");
    await page.context().close();
  });
};
