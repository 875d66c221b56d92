// Builds into dist/, or the folder that is named: the one file for <script>, and
// the same as an ES module.
// Names that begin with _ are nobody else's, so they are made short.
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import * as codes from './src/codes.js';

const { version } = JSON.parse(
  readFileSync(new URL('package.json', import.meta.url)),
);
const folder = process.argv[2] ?? new URL('dist', import.meta.url).pathname;
const here = (path) => new URL(path, import.meta.url).pathname;

// A code's number stands where its name stood.
const numbers = {
  name: 'numbers',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(
        /\b(\w+Code)\.(\w+)/g,
        (text, table, code) => codes[table]?.[code] ?? text,
      ),
    })),
};

async function make(entry, format, name) {
  const outfile = `${folder}/${name}`;
  await build({
    entryPoints: [here(`src/${entry}`)],
    outfile,
    format,
    bundle: true,
    plugins: [numbers],
    minify: true,
    mangleProps: /^_/,
    target: 'es2021',
    banner: { js: `/*! paperboy-client ${version} */` },
  });
  const bytes = readFileSync(outfile);
  const gzip = gzipSync(bytes, { level: 9 }).length;
  const brotli = brotliCompressSync(bytes).length;
  console.log(
    `${name}: ${bytes.length} bytes; gzip -9 ${gzip}, brotli ${brotli}`,
  );
}

await make('browser.js', 'iife', 'paperboy.min.js');
await make('index.js', 'esm', 'paperboy.min.mjs');
