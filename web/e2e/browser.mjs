// The browser of the tests, and what every screen must pass.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { chromium } from "playwright-core";

import { startDemo } from "./platform.mjs";

const browserPath = "/usr/bin/chromium";
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Ends the process with 77, loudly, where there is no Chromium. */
async function startBrowser() {
  if (!existsSync(browserPath)) {
    console.log("SKIPPED: Chromium is not installed (./test.sh installs it)");
    process.exit(77);
  }
  return chromium.launch({
    executablePath: browserPath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/**
 * A browser and a demo of the program. `run` ends both behind the test and says what came of it; where that is a failure the process
 * ends with 1.
 */
export async function startBoth(program) {
  const browser = await startBrowser();
  const demo = await startDemo(program);
  const run = async (passed, test) => {
    let failure;
    try {
      await test();
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
    console.log(passed);
  };
  return { browser, demo, run };
}

export async function checkAccessibility(page, name) {
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
