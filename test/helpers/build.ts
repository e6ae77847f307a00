import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
let built = false;

/** What `npm run build` does, each step as the arguments of Node. */
const STEPS = [
  [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json'],
  [join('build', 'bundle.js')],
  [join('dist', 'cli', 'write-help.js')],
];

/**
 * Vitest's global set-up for the projects that start `bin/mlv.js`, and the benchmark's: builds `dist/` when a source file is newer, so that
 * a test never passes against yesterday's program. A build with errors writes nothing, so that the next run tries again.
 */
export function setup(): void {
  if (built || isFresh()) return;
  for (const step of STEPS) {
    const result = spawnSync(process.execPath, step, { cwd: root, encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`npm run build failed:\n${result.stdout}${result.stderr}`);
  }
  built = true;
}

function isFresh(): boolean {
  const program = statSync(join(root, 'dist', 'cli', 'main.js'), { throwIfNoEntry: false });
  if (!program) return false;
  const inputs = ['package.json', 'package-lock.json', 'tsconfig.json'];
  const newest = [...inputs.map((name) => modified(join(root, name))), ...['src', 'build'].map(newestIn)];
  return Math.max(...newest) < program.mtimeMs;
}

function newestIn(folder: string): number {
  return newestBelow(join(root, folder));
}

function modified(path: string): number {
  return statSync(path).mtimeMs;
}

function newestBelow(directory: string): number {
  let newest = modified(directory);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestBelow(path) : modified(path));
  }
  return newest;
}
