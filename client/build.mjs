// Builds into dist/, or the folder that is named: the one file for <script>, and
// the same as an ES module.
// Names that begin with _ are nobody else's, so they are made short.
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const { version } = JSON.parse(
  readFileSync(new URL('package.json', import.meta.url)),
);
const folder = process.argv[2] ?? new URL('dist', import.meta.url).pathname;
const here = (path) => new URL(path, import.meta.url).pathname;

async function make(entry, format, name) {
  const outfile = `${folder}/${name}`;
  await build({
    entryPoints: [here(`src/${entry}`)],
    outfile,
    format,
    bundle: true,
    minify: true,
    mangleProps: /^_/,
    target: 'es2021',
    banner: { js: `/*! paperboy-client ${version} */` },
  });
  const bytes = readFileSync(outfile);
  const compressed = gzipSync(bytes, { level: 9 }).length;
  console.log(`${name}: ${bytes.length} bytes, ${compressed} compressed`);
}

await make('browser.js', 'iife', 'paperboy.min.js');
await make('index.js', 'esm', 'paperboy.min.mjs');
