import type { GitContext } from './context.js';
import type { RemoteTip } from './git.js';

/** `<object> TAB <ref>`, with `^{}` behind the ref for what a tag leads to. */
const LINE = /^([0-9a-f]{40,64})\t(\S+?)(\^\{\})?$/;

/**
 * The branches and tags of every Git remote as they are there now, and whether this clone has their commits. Asks every
 * remote over the network. Errors: `GIT_FAILED` for a remote that cannot be asked (its name is in the message).
 */
export async function remoteTips(context: GitContext): Promise<RemoteTip[]> {
  const remotes = (await context.run(['remote'])).stdout.toString('utf8').split('\n').filter(Boolean);
  const tips: RemoteTip[] = [];
  for (const remote of remotes) {
    const { stdout } = await context.run(['ls-remote', '--quiet', '--heads', '--tags', '--end-of-options', remote]);
    const objects = new Map<string, string>();
    // What a tag leads to comes behind the tag itself, and takes its place.
    for (const line of stdout.toString('utf8').split('\n')) {
      const match = LINE.exec(line);
      if (match) objects.set(match[2] as string, match[1] as string);
    }
    for (const [ref, object] of objects) tips.push({ remote, ref, object, known: false });
  }
  const known = await present(
    context,
    tips.map(({ object }) => object),
  );
  return tips.map((tip) => ({ ...tip, known: known.has(tip.object) }));
}

async function present(context: GitContext, objects: readonly string[]): Promise<Set<string>> {
  if (objects.length === 0) return new Set();
  const input = [...new Set(objects)].map((object) => `${object}\n`).join('');
  const { stdout } = await context.run(['cat-file', '--batch-check=%(objectname) %(objecttype)'], { input });
  const found = [...stdout.toString('latin1').matchAll(/^([0-9a-f]+) (?:commit|tag|tree|blob)$/gm)];
  return new Set(found.map(([, object = '']) => object));
}
