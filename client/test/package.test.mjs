import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import * as source from '../src/index.js';
import { Script } from './lib/script.mjs';

const root = new URL('..', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const run = (...command) =>
  execFileSync(process.execPath, command, { cwd: root, encoding: 'utf8' });

describe('the package', () => {
  let folder;
  let classic; // the build for <script>
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'paperboy-client-'));
    run('build.mjs', folder);
    classic = readFileSync(join(folder, 'paperboy.min.js'));
  });
  after(() => rmSync(folder, { recursive: true }));

  test('is at most 5 KB compressed', () => {
    for (const { length } of [
      gzipSync(classic, { level: 9 }),
      brotliCompressSync(classic),
    ]) {
      assert.ok(length <= 5000, `${length} bytes`);
    }
  });

  test('needs no other package', () => {
    const { dependencies, peerDependencies } = JSON.parse(read('package.json'));
    assert.deepEqual([dependencies, peerDependencies], [undefined, undefined]);
  });

  test('locks packages, not where one machine got them', () => {
    assert.doesNotMatch(
      read('package-lock.json'),
      /"resolved"|https?:\/\/[^"]*registry/,
    );
  });

  test('is built for pages as two globals', () => {
    const page = createContext({});
    runInContext(classic, page);
    assert.deepEqual(Object.keys(page), ['Paperboy', 'PaperboyClient']);
    const error = new page.Paperboy.PaperboyError('oh', 101);
    assert.deepEqual([error.name, error.code], ['PaperboyError', 101]);
  });

  test('is built as a module that works', async () => {
    const url = pathToFileURL(join(folder, 'paperboy.min.mjs'));
    const built = await import(url);
    assert.deepEqual(Object.keys(built), Object.keys(source));
    const script = await Script.start({
      connect: () => ({ connect: { expires: true, ttl: 1 } }),
    });
    try {
      const client = new built.Paperboy(script.url, {
        WebSocket: (await import('ws')).default,
        getToken: () => 't',
      });
      const a = client.subscribe('a', { getToken: () => 'u' });
      await a.ready();
      script.last.pub('a', 1);
      for await (const { data } of a) {
        assert.equal(data, 1);
        break;
      }
      await a.publish(2);
      client.close();
      assert.deepEqual(
        script.last.commands.map((command) => Object.values(command)[1]),
        [
          { token: 't', name: 'paperboy', subs: {} },
          { channel: 'a', token: 'u' },
          { channel: 'a', data: 2 },
        ],
      );
    } finally {
      await script.stop();
    }
  });

  test('has types that fit what applications write', () => {
    run(
      'node_modules/typescript/bin/tsc',
      ...['--noEmit', '--strict', '--target', 'es2022'],
      ...['--module', 'nodenext', 'test/lib/types.ts'],
    );
  });

  test('has types for all that it exports, and the same codes', () => {
    const types = read('src/index.d.ts');
    for (const name of Object.keys(source)) {
      assert.match(types, new RegExp(`export (class|const) ${name}\\b`));
    }
    for (const name of ['CloseCode', 'ErrorCode', 'UnsubscribeCode']) {
      const [, text] = types.match(new RegExp(`const ${name}: \\{([^}]*)\\}`));
      const typed = [...text.matchAll(/readonly (\w+): (\d+);/g)].map(
        ([, key, code]) => [key, Number(code)],
      );
      assert.deepEqual(Object.fromEntries(typed), source[name]);
    }
  });
});
