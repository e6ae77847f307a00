import type { Git } from '../git/git.js';
import type { Manifest } from '../registry/manifest.js';
import { annotationsOf } from '../workspace/annotate.js';
import type { Annotation } from '../workspace/annotation.js';
import { pointerPathOf, targetOfBlob } from '../workspace/pointers.js';

/**
 * What the pointers at the commit of a version say of where its data and artifacts came from, by path; nothing where this
 * clone lacks the commit. Error: `GIT_FAILED`.
 */
export async function annotationsAt(git: Git, manifest: Manifest): Promise<Record<string, Annotation>> {
  const { commit, artifacts, data } = manifest;
  const oids = new Map([...artifacts, ...data].map(({ path, oid }) => [pointerPathOf(path), oid as string]));
  if (!(await git.hasCommit(commit))) return {};
  const files = await git.listFiles({ kind: 'revision', revision: commit }, '.mlv');
  const named = files.filter(({ path, mode }) => oids.has(path) && mode !== '120000');
  const blobs = await git.readBlobs(named.map(({ blob }) => blob));
  const targets = named.map(({ path, blob }) => targetOfBlob(path, blobs.get(blob)));
  const own = targets.filter((target) => target && oids.get(pointerPathOf(target.path)) === target.pointer.oid);
  return Object.fromEntries(annotationsOf(own.filter((target) => target !== undefined)));
}
