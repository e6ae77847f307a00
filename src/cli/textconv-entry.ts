import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pointerText } from './textconv.js';

/**
 * `mlv textconv <file>`, as gitattributes(5) has it called: once for each version of each pointer that `git log -p` shows,
 * so that no more of the program is loaded than the text needs. Gives the exit code.
 */
export async function textconv(argv: readonly string[]): Promise<number> {
  const file = argv.at(-1);
  if (argv.length < 2 || file === undefined) {
    process.stderr.write('mlv: textconv needs a file; Git calls this: see docs/merging.md\n');
    return 2;
  }
  try {
    process.stdout.write(await pointerText(readFileSync(file, 'utf8'), file, caches()));
    return 0;
  } catch (error) {
    process.stderr.write(`mlv: cannot show '${file}': ${(error as Error).message}\n`);
    return 1;
  }
}

/** Where the cache is by default; then, where the configuration says that it is. */
async function* caches(): AsyncGenerator<string> {
  const asked = spawnSync('git', ['rev-parse', '--git-common-dir'], { encoding: 'utf8', windowsHide: true });
  if (asked.status !== 0) return;
  yield join(resolve(asked.stdout.replace(/\n$/, '')), 'mlv');
  // Here, because most caches are where they are by default.
  const { discoverRepository } = await import('../git/discover.js');
  const { configPaths } = await import('../config/levels.js');
  const { loadConfig } = await import('../config/load.js');
  const repository = await discoverRepository(process.cwd(), process.env);
  const paths = configPaths({ env: process.env, home: homedir(), repository });
  yield (await loadConfig({ paths, environment: process.env })).cache.dir;
}
