import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { startChunks } from './start-chunks.js';
import { thirdPartyLicences } from './third-party-licences.js';

// Makes `dist/` of `src/`: see "The build" in docs/architecture.md. `tsc` has checked the types before.

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * What stays in node_modules: what is native, what is loaded by its name, and what is large and seldom needed. All
 * other libraries are in `dist/` with the program: Node takes longer to find and read many files than to run them.
 */
const EXTERNAL = [
  '@azure/storage-blob',
  '@google-cloud/storage',
  '@napi-rs/blake-hash',
  'hash-wasm',
  'hyparquet',
  'hyparquet-compressors',
  'node-sqlite3-wasm',
  'spdx-expression-parse',
  'spdx-license-ids',
  'ssh2',
];

/** What is started often and loads nothing that it does not need: hooks and textconv of Git, threads. */
const LIGHT = {
  start: 'src/cli/start.ts',
  'hook-entry': 'src/cli/hook-entry.ts',
  'textconv-entry': 'src/cli/textconv-entry.ts',
  'push-worker': 'src/transfer/push-worker.ts',
  'fetch-worker': 'src/transfer/fetch-worker.ts',
  'write-worker': 'src/objects/write-worker.ts',
  'look-worker': 'src/workspace/look-worker.ts',
};

/**
 * Says that the files are scripts, and writes what is not ASCII in them (in texts and expressions) as escapes: V8 keeps
 * such a file in half of the memory, and reads it faster.
 */
const scripts = {
  name: 'scripts',
  generateBundle(_options, bundle) {
    this.emitFile({ type: 'asset', fileName: 'cli/package.json', source: '{ "type": "commonjs" }\n' });
    for (const file of Object.values(bundle)) {
      if (file.type !== 'chunk') continue;
      // A raw text would show the escape.
      if (/String\s*\.\s*raw/.test(file.code)) throw new Error(`${file.fileName} uses String.raw`);
      file.code = file.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    }
  },
};

const chunks = startChunks({
  root: ROOT,
  first: ['src/cli/main.ts', 'src/cli/program.ts', 'src/cli/execute.ts'],
  verbs: 'src/cli/verbs',
  whole: { 's3-client': ['src/remotes/s3.ts', 'src/remotes/source-s3.ts'] },
  light: Object.values(LIGHT),
});

const bundle = await rolldown({
  cwd: ROOT,
  input: { main: 'src/cli/main.ts', 'write-help': 'src/cli/write-help.ts', ...LIGHT },
  platform: 'node',
  external: (id) => EXTERNAL.some((name) => id === name || id.startsWith(`${name}/`)),
  // The ES modules of the AWS SDK, so that what mlv does not call is left out; of others, what Node would load.
  resolve: { mainFields: ['module', 'main'], conditionNames: ['module', 'node', 'import'] },
  preserveEntrySignatures: 'allow-extension',
  plugins: [chunks.plugin, thirdPartyLicences('THIRD-PARTY-LICENCES.txt'), scripts],
  // A module that one file imports at once and another when it needs it is in the file of the first.
  checks: { ineffectiveDynamicImport: false },
  onLog(level, log) {
    if (level === 'warn') throw new Error(log.message);
  },
});

await bundle.write({
  dir: 'dist',
  cleanDir: true,
  // V8 can keep what it made of a script (see src/cli/code-cache.ts), which in Node 20 it cannot of an ES module.
  format: 'cjs',
  dynamicImportInCjs: false,
  // All in one folder: modules look for the manifest, the help and the program of the threads from where they are.
  entryFileNames: 'cli/[name].js',
  chunkFileNames: 'cli/[name].js',
  comments: { legal: true, annotation: false, jsdoc: false },
  codeSplitting: { groups: chunks.groups },
});
await bundle.close();
