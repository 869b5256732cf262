// The package in Chromium: bundled, in a worker, with the browser's own files, over a page that is left and visited again.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const browser = '/usr/bin/chromium';
const here = fileURLToPath(new URL('.', import.meta.url));
const visits = 2;

// The page starts the worker, reports what it says, and loads itself anew until it is told that this was all.
const page = `<!doctype html><script type="module">
  const worker = new Worker('/worker.js', { type: 'module' });
  worker.onerror = (event) => fetch('/visit', { method: 'POST', body: JSON.stringify({ error: event.message }) });
  worker.onmessage = async ({ data }) => {
    const answer = await fetch('/visit', { method: 'POST', body: data });
    worker.terminate();
    if (await answer.text() === 'again') location.reload();
  };
</script>`;

async function serve(script, wasm, onVisit) {
  const files = { '/': ['text/html', page], '/worker.js': ['text/javascript', script], '/purse.wasm': ['application/wasm', wasm] };
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      let body = '';
      for await (const part of request) body += part;
      response.end(onVisit(JSON.parse(body)));
      return;
    }
    const [type, content] = files[request.url] ?? ['text/plain', ''];
    response.writeHead(content === '' ? 404 : 200, { 'content-type': type }).end(content);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}

test('a purse in a browser tab is found again after a reload', { skip: !existsSync(browser) && `no ${browser}`, timeout: 240_000 }, async () => {
  const bundled = await build({ entryPoints: [here + 'browser/worker.mjs'], bundle: true, format: 'esm', write: false });
  const wasm = await readFile(here + '../dist/purse.wasm');
  const said = [];
  let finish;
  const finished = new Promise((done) => { finish = done; });
  const server = await serve(bundled.outputFiles[0].text, wasm, (visit) => {
    said.push(visit);
    if (!visit.error && said.length < visits) return 'again';
    finish();
    return 'done';
  });
  const profile = mkdtempSync(join(tmpdir(), 'jiaozi-browser-'));
  const child = spawn(browser, ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${profile}`,
    `http://127.0.0.1:${server.address().port}/`], { stdio: 'ignore' });
  const ended = new Promise((exit) => child.on('exit', exit));
  try {
    await Promise.race([finished, ended.then(() => assert.fail('the browser ended before the test did'))]);
  } finally {
    child.kill();
    await ended;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
  assert.deepEqual(said, [
    { found: { state: 'active', unknown: '0' }, ann: '99300', bob: '100700', unknown: '700' },
    { found: { state: 'active', unknown: '700' }, ann: '99300', bob: '100700', unknown: '0' },
  ]);
});
