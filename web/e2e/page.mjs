// The page in a real browser against the real program: a sale, a failed drop that gives the money back, both languages,
// and no serious fault of accessibility. With --pictures FOLDER it leaves the screenshots of the README there.
//   node e2e/page.mjs PROGRAM [--pictures FOLDER]          exit 77: skipped, no Chromium
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { startDemo } from "./platform.mjs";

const browserPath = "/usr/bin/chromium";
const [program, option, pictures] = process.argv.slice(2);
if (!existsSync(browserPath)) {
  console.log("SKIPPED: Chromium is not installed (./test.sh installs it)");
  process.exit(77);
}
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const demo = await startDemo(program);
const browser = await chromium.launch({
  executablePath: browserPath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
let failure;
try {
  for (const colours of ["light"]) {
    const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, colorScheme: colours, locale: "en-GB", bypassCSP: false });
    const page = await context.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    // Chromium itself writes a line for every answer of 4xx; the payments refused below are answered so.
    page.on("console", (message) => { if (message.type() === "error" && !/status of (402|409)/.test(message.text())) problems.push(message.text()); });

    await page.goto(`${demo.url}/#key=${demo.key}`);
    await page.getByText("live", { exact: true }).waitFor();
    assert.equal(new URL(page.url()).hash, "", "the key stays in the address bar");
    await sellAndRefuse(page);
    await checkAccessibility(page, "English");
    if (pictures) await page.screenshot({ path: join(pictures, "page.png") });

    await page.getByRole("button", { name: "中文" }).click();
    await page.getByRole("heading", { name: "钱包", exact: true }).waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
    await checkAccessibility(page, "Chinese");
    if (pictures) await page.screenshot({ path: join(pictures, "page.zh-CN.png") });

    await context.clearCookies();
    const stranger = await (await browser.newContext()).newPage();
    await stranger.goto(demo.url);
    await stranger.getByLabel(/API key|API 密钥/).fill("sk_test_00000000000000000000000000000000");
    await stranger.getByRole("button", { name: /Open|打开/ }).click();
    await stranger.getByText(/not accepted|未被接受/).waitFor();
    // The refused stranger's console shows the 401; the page itself must be silent.
    assert.deepEqual(problems, [], "errors in the browser's console");
  }
} catch (error) {
  failure = error;
} finally {
  await browser.close();
}
const code = await demo.stop();
if (failure) {
  console.error(failure);
  console.error(demo.log().slice(-3000));
  process.exit(1);
}
assert.equal(code, 0, `SIGTERM ended the program with ${code}:\n${demo.log().slice(-2000)}`);
console.log("page: sale, failed drop, both languages, accessibility: passed");

async function sellAndRefuse(page) {
  const machine = page.locator("section[aria-label='Machines'] .ant-card").first();
  await machine.getByText("online", { exact: true }).waitFor({ timeout: 20_000 });
  const state = (name) => page.locator("tr.ant-table-row").first().getByText(name);

  await machine.locator(".products button").first().click();
  await state("paid").waitFor({ timeout: 15_000 });

  await machine.getByText("drop fails", { exact: true }).click();
  await machine.locator(".ant-segmented-item-selected", { hasText: "drop fails" }).waitFor();
  const held = page.getByText("the machine reported that nothing was delivered").first();
  await machine.locator(".products button").first().click();
  await held.waitFor({ timeout: 15_000 });

  await machine.getByText("silent", { exact: true }).click();
  await machine.locator(".ant-segmented-item-selected", { hasText: "silent" }).waitFor();
  await page.waitForTimeout(3000); // longer than a machine counts as just heard
  await machine.locator(".products button").first().click();
  await page.getByText("the machine does not answer; no money was held").first().waitFor({ timeout: 15_000 });
  await machine.getByText("works", { exact: true }).click();
  await machine.locator(".ant-segmented-item-selected", { hasText: "works" }).waitFor();
}

async function checkAccessibility(page, name) {
  // What fades in or out has the contrast of neither state: wait until the page stands still.
  await page.mouse.move(0, 0);
  await page.waitForFunction(() => !document.querySelector(".ant-message-notice, .ant-tooltip:not(.ant-tooltip-hidden)"));
  await page.waitForTimeout(500);
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations.filter((rule) => rule.impact === "serious" || rule.impact === "critical");
  for (const rule of serious) {
    console.error(`axe (${name}): ${rule.impact}: ${rule.id}: ${rule.help}`);
    for (const node of rule.nodes.slice(0, 5)) console.error(`  ${node.html.slice(0, 200)}`);
  }
  assert.equal(serious.length, 0, `${serious.length} serious accessibility faults (${name})`);
}
