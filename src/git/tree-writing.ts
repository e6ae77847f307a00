import { MlvError } from '../core/errors.js';
import type { GitContext } from './context.js';
import { NO_HOOKS } from './no-hooks.js';
import type { NewTree } from './plumbing.js';

/** Never written: it names the branch that `git fast-import` works on until it is told to forget it. */
const WORKING_REF = 'refs/mlv/writing';
const PATH = /^[A-Za-z0-9_.@-]+(?:\/[A-Za-z0-9_.@-]+)*$/;

/**
 * Writes a tree with one Git process, whatever the number of files in it, and gives its name. Error: `GIT_FAILED`.
 */
export async function writeTree(context: GitContext, { base, files }: NewTree): Promise<string> {
  const parts: (string | Uint8Array)[] = [`commit ${WORKING_REF}\ncommitter mlv <mlv> 0 +0000\ndata 0\n`];
  if (base !== undefined) parts.push(`from ${base}\n`);
  for (const [path, content] of files) {
    if (!PATH.test(path)) throw new MlvError('GIT_FAILED', `'${path}' is not a path that mlv writes to Git`);
    const bytes = Buffer.from(content);
    parts.push(`M 100644 inline ${path}\ndata ${bytes.length}\n`, bytes, '\n');
  }
  // The branch is forgotten before the end, so that no ref is written.
  parts.push(`ls ""\nreset ${WORKING_REF}\nfrom ${'0'.repeat(base?.length ?? (await nameLength(context)))}\n\ndone\n`);
  const input = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const args = [...NO_HOOKS, 'fast-import', '--quiet', '--done', '--date-format=raw'];
  const { stdout } = await context.run(args, { input });
  const match = /^040000 tree ([0-9a-f]{40,64})\t/.exec(stdout.toString('latin1'));
  if (!match) throw new MlvError('GIT_FAILED', "'git fast-import' gave no tree", { data: { answer: String(stdout) } });
  return match[1] as string;
}

/** Hex digits of an object's name. */
async function nameLength(context: GitContext): Promise<number> {
  const { stdout } = await context.run(['rev-parse', '--show-object-format']);
  return stdout.toString('latin1').trim() === 'sha256' ? 64 : 40;
}
