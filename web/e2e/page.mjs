// The page in a real browser against the real program: a sale, a failed drop that gives the money back, both languages,
// and no serious fault of accessibility. With --pictures FOLDER it leaves the screenshots of the README there.
//   node e2e/page.mjs PROGRAM [--pictures FOLDER]          exit 77: skipped, no Chromium
import assert from "node:assert/strict";
import { join } from "node:path";

import { checkAccessibility, startBoth } from "./browser.mjs";

const [program, option, pictures] = process.argv.slice(2);
const { browser, demo, run } = await startBoth(program);
await run("page: sale, failed drop, both languages, accessibility: passed", async () => {
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
});

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
