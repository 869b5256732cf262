// Starts the real program with its demo on a directory of its own, and stops it.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export async function startDemo(program) {
  const folder = mkdtempSync(join(tmpdir(), "jiaozi-page-"));
  const ready = join(folder, "ready.json");
  const child = spawn(program, ["serve", "--demo", "--data", join(folder, "data"), "--port", "0", "--broker-port", "0", "--ready-file", ready, "--hold", "15"], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (data) => { log += data; });
  for (let i = 0; !existsSync(ready); i += 1) {
    if (child.exitCode !== null || i > 600) throw new Error(`the program did not start:\n${log.slice(-4000)}`);
    await sleep(100);
  }
  const { url } = JSON.parse(readFileSync(ready, "utf8"));
  const key = readFileSync(join(folder, "data", "operator.key"), "utf8").trim();
  const stop = async () => {
    const ended = new Promise((resolve) => { child.once("exit", resolve); });
    child.kill("SIGTERM");
    const code = await Promise.race([ended, sleep(20_000, "still running")]);
    if (code === "still running") child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    return code;
  };
  return { url, key, stop, log: () => log };
}
