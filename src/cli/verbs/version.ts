import { runGit } from '../../git/process.js';
import { loadHash } from '../../objects/hash.js';
import { programVersion } from '../program-version.js';
import type { Session } from '../session.js';
import type { Result } from '../verb.js';

/** `mlv version`: see its declaration. */
export async function run(session: Session): Promise<Result> {
  const version = programVersion();
  if (!session.globals.json) return { text: [version] };
  const hash = await loadHash('blake3');
  const git = await gitVersion(session);
  const json = {
    mlv: version,
    node: process.versions.node,
    git,
    hash: { algorithm: hash.algorithm, implementation: hash.implementation },
  };
  return { json };
}

/** Git's version, or null where there is no Git to ask. */
async function gitVersion({ cwd, env }: Session): Promise<string | null> {
  try {
    const { stdout } = await runGit(['version'], { cwd, env });
    return /\d+(?:\.\d+)+/.exec(stdout.toString('utf8'))?.[0] ?? null;
  } catch {
    return null;
  }
}
