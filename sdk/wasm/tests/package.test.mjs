// The package holds what it says and nothing else.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('../', import.meta.url));

test('the files of the package', () => {
  const [pack] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--loglevel=error'], { cwd: here, encoding: 'utf8' }));
  const modules = ['cryptography', 'evidence', 'index', 'module', 'objects', 'platform', 'purse', 'qr', 'status', 'storage'];
  const expected = ['README.md', 'README.zh-CN.md', 'package.json', 'dist/purse.wasm', ...modules.flatMap((m) => [`dist/${m}.d.ts`, `dist/${m}.js`])];
  assert.deepEqual(pack.files.map(({ path }) => path).sort(), expected.sort());
  console.log(`package: ${pack.size} bytes packed, ${pack.unpackedSize} unpacked`);
});

test('it is found by its name', async () => {
  const { Purse } = await import('jiaozi-purse');
  assert.equal(typeof Purse.create, 'function');
});
