import type { Git } from '../git/git.js';
import type { Manifest } from './manifest.js';

/**
 * Takes over the tags of versions whose commits this clone lacks, so that their pointers can be read as they were
 * committed: in a shallow clone nothing but those commits. A tag that is not to be had is no error: pointers can be made
 * from the manifest.
 */
export async function fetchVersionTags(
  git: Git,
  manifests: readonly Pick<Manifest, 'model' | 'version' | 'commit'>[],
  { remote, interactive }: { remote: string; interactive: boolean },
): Promise<void> {
  const refspecs: string[] = [];
  for (const { model, version, commit } of manifests) {
    const tag = `refs/tags/${model}@${version}`;
    if (!(await git.hasCommit(commit))) refspecs.push(`${tag}:${tag}`);
  }
  if (refspecs.length === 0) return;
  const depth = (await git.isShallow()) ? { depth: 1 } : {};
  await git.plumbing.fetch({ remote, refspecs, interactive, ...depth });
}
