// Run as a process of its own: adds the paths to the repository, or with --hold takes the lock of the ignore files,
// leaves a temporary file in the cache, and waits to be killed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../../src/config/lock-file.js';
import { openGit } from '../../src/git/open.js';
import { ObjectCache } from '../../src/objects/cache.js';
import { loadHash } from '../../src/objects/hash.js';
import { add } from '../../src/workspace/add.js';
import { StatIndex } from '../../src/workspace/stat-index.js';

const [directory = '', ...paths] = process.argv.slice(2);
const git = await openGit(directory, { env: process.env });
const hash = await loadHash('blake3');
const cache = new ObjectCache(join(git.layout.commonDir, 'mlv'), hash);

if (paths[0] === '--hold') {
  writeFileSync(cache.temporary.next(), 'half');
  withLock(join(git.layout.gitDir, 'mlv', 'ignore-files.lock'), () => {
    process.send?.('held');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
} else {
  const index = new StatIndex(git.layout.gitDir, hash);
  const settings = { linkModes: ['reflink', 'copy'] as const, verify: false, stage: false };
  await add({ git, layout: git.layout, hash, cache, index, settings }, paths);
  process.disconnect?.();
}
