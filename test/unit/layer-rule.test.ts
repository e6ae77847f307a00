import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Diagnostic {
  category: string;
  location: { path: string | { file: string } };
}

interface Violation {
  what: string;
  file: string;
  source: string;
  rule: string;
}

const UPWARD: Violation[] = [
  ['core', 'objects/oid.js'],
  ['objects', 'workspace/pointer.js'],
  ['objects', 'git/git.js'],
  ['objects', 'remotes/remote.js'],
  ['remotes', 'config/config.js'],
  ['remotes', 'objects/oid.js'],
  ['git', 'objects/oid.js'],
  ['config', 'git/git.js'],
  ['workspace', 'transfer/push.js'],
  ['transfer', 'cli/program.js'],
  ['transfer', 'registry/events.js'],
  ['provenance', 'registry/events.js'],
  ['registry', 'cli/program.js'],
  ['interop', 'transfer/push.js'],
].map(([from, to]) => ({
  what: `${from} importing ${to}`,
  file: `src/${from}/from-${from}-to-${to?.replace(/\W/g, '-')}.ts`,
  source: `import { thing } from '../${to}';\nexport const other = thing;\n`,
  rule: 'lint/style/noRestrictedImports',
}));

const VIOLATIONS: Violation[] = [
  ...UPWARD,
  {
    what: 'a type-only upward import',
    file: 'src/objects/typed.ts',
    source: "import type { Thing } from '../cli/program.js';\nexport type Other = Thing;\n",
    rule: 'lint/style/noRestrictedImports',
  },
  {
    what: 'a lazy upward import',
    file: 'src/objects/lazy.ts',
    source: "export async function load(): Promise<unknown> {\n  return import('../cli/program.js');\n}\n",
    rule: 'lint/style/noRestrictedImports',
  },
  {
    what: 'an upward re-export',
    file: 'src/objects/re-export.ts',
    source: "export { thing } from '../cli/program.js';\n",
    rule: 'lint/style/noRestrictedImports',
  },
  {
    what: 'an upward import from a folder below',
    file: 'src/objects/deep/nested.ts',
    source: "import { thing } from '../../cli/render/table.js';\nexport const other = thing;\n",
    rule: 'lint/style/noRestrictedImports',
  },
  {
    what: 'an import cycle',
    file: 'src/core/cycle-a.ts',
    source: "import { b } from './cycle-b.js';\nexport const a = (): number => b();\n",
    rule: 'lint/suspicious/noImportCycles',
  },
  {
    what: 'printing below the command line',
    file: 'src/objects/prints.ts',
    source: "console.log('here');\n",
    rule: 'lint/suspicious/noConsole',
  },
  {
    what: 'writing to standard output below the command line',
    file: 'src/objects/writes.ts',
    source: "process.stdout.write('here');\n",
    rule: 'lint/nursery/noJsRestrictedProperties',
  },
  {
    what: 'ending the process below the command line',
    file: 'src/transfer/exits.ts',
    source: 'process.exit(1);\n',
    rule: 'lint/nursery/noJsRestrictedProperties',
  },
  {
    what: 'reading the environment below the command line',
    file: 'src/config/reads.ts',
    source: 'export const home = process.env.HOME;\n',
    rule: 'lint/style/noProcessEnv',
  },
  {
    what: 'the process by import below the command line',
    file: 'src/config/imports.ts',
    source: "import { env } from 'node:process';\nexport const home = env.HOME;\n",
    rule: 'lint/style/noRestrictedImports',
  },
  {
    what: 'a development dependency in the program',
    file: 'src/core/develops.ts',
    source: "import { vol } from 'memfs';\nexport const files = vol;\n",
    rule: 'lint/correctness/noUndeclaredDependencies',
  },
];

const ALLOWED: Array<Pick<Violation, 'file' | 'source'>> = [
  { file: 'src/cli/prints.ts', source: 'console.log(process.env.HOME, process.argv);\nprocess.exitCode = 1;\n' },
  { file: 'src/cli/imports.ts', source: importsFrom(['transfer', 'workspace', 'objects', 'remotes', 'git', 'config']) },
  {
    file: 'src/transfer/imports.ts',
    source: importsFrom(['workspace', 'objects', 'remotes', 'git', 'config', 'core']),
  },
  { file: 'src/workspace/imports.ts', source: importsFrom(['objects', 'git', 'config', 'core']) },
  { file: 'src/objects/imports.ts', source: importsFrom(['core']) },
  { file: 'src/objects/asks.ts', source: 'export const windows = process.platform;\n' },
];

describe('the layer rule is a lint rule', () => {
  let found: Map<string, Set<string>>;

  beforeAll(() => {
    found = check(layOut());
  });

  it.each(VIOLATIONS)('$what is refused', ({ file, rule }) => {
    expect([...(found.get(file) ?? [])]).toContain(rule);
  });

  it.each(ALLOWED)('$file is fine', ({ file }) => {
    expect([...(found.get(file) ?? [])]).toEqual([]);
  });
});

function importsFrom(folders: string[]): string {
  const imports = folders.map((folder) => `import { thing as ${folder} } from '../${folder}/thing.js';\n`);
  return `${imports.sort().join('')}export const all = [${folders.join(', ')}];\n`;
}

function layOut(): string {
  const directory = temporaryDirectory('layers');
  for (const name of ['biome.json', 'package.json']) cpSync(join(root, name), join(directory, name));
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'), 'dir');
  const back = {
    file: 'src/core/cycle-b.ts',
    source: "import { a } from './cycle-a.js';\nexport const b = (): number => a();\n",
  };
  for (const { file, source } of [...VIOLATIONS, ...ALLOWED, back]) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), source);
  }
  return directory;
}

/** The lint rules that `biome lint` reports for each file of `directory`; also proves that its exit code says so. */
function check(directory: string): Map<string, Set<string>> {
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const args = ['lint', '--reporter=json', '--max-diagnostics=none', '.'];
  const result = spawnSync(process.execPath, [biome, ...args], { cwd: directory, encoding: 'utf8' });
  expect(result.status, result.stderr).toBe(1);
  const report = JSON.parse(result.stdout) as { diagnostics: Diagnostic[] };
  const rules = new Map<string, Set<string>>();
  for (const { category, location } of report.diagnostics) {
    const path = typeof location.path === 'string' ? location.path : location.path.file;
    rules.set(path, (rules.get(path) ?? new Set()).add(category));
  }
  return rules;
}
