import { MlvError } from '../core/errors.js';
import { shellQuote } from '../core/shell-quote.js';
import type { HookFact } from '../git/hook-gate.js';
import { Completeness } from '../workspace/completeness.js';
import { missingNew } from '../workspace/new-objects.js';
import { isDirectoryTarget, isPointerPath, loadTargetsAt, parseTarget, type Target } from '../workspace/pointers.js';
import type { OpenRepository } from './context.js';
import { quotePath } from './render/quote.js';
import { formatBytes, formatCount } from './render/units.js';
import type { Result } from './verb.js';

/**
 * Before a commit: refuses large files that go into Git, and pointers with objects that neither the cache has nor the
 * commit before names, since nobody else could ever have them. What a remote holds and this cache does not is fetched
 * first (`mlv fetch`).
 */
export async function checkStaged(repository: OpenRepository, facts: readonly HookFact[]): Promise<Result> {
  const limit = repository.config.hooks.largeFile;
  const large = facts.filter(({ kind, size }) => kind === 'large' && size > limit);
  return { errors: [...large.map((fact) => tooLarge(fact, limit)), ...(await incomplete(repository, facts))] };
}

function tooLarge({ path, size }: HookFact, limit: number): MlvError {
  const shown = quotePath(path);
  const word = shellQuote(path);
  return new MlvError('CHECK_FAILED', `${shown} (${formatBytes(size)}) would go into Git, for ever`, {
    hint: `let mlv have it: git rm --cached -- ${word} && mlv add ${word}   (the limit is hooks.large-file: ${limit})`,
    data: { path, size, limit },
  });
}

async function incomplete(repository: OpenRepository, facts: readonly HookFact[]): Promise<MlvError[]> {
  const staged = facts.filter(({ kind, path }) => kind === 'pointer' && isPointerPath(path));
  if (staged.length === 0) return [];
  const blobs = await repository.git.readBlobs([...new Set(staged.map(({ blob }) => blob))]);
  const completeness = new Completeness(repository.cache, `${repository.cache.directory}/complete`);
  const errors: MlvError[] = [];
  let former: Target[] | undefined;
  for (const { path, blob } of staged) {
    const bytes = blobs.get(blob);
    if (!bytes) continue;
    try {
      const target = parseTarget(path, bytes.toString('utf8'));
      const { pointer } = target;
      const missing = completeness.missing(pointer.oid, isDirectoryTarget(target), pointer.size);
      if (missing.objects === 0) continue;
      former ??= await committed(repository);
      const added = missingNew(repository, target, former);
      if (added > 0) errors.push(notThere(target.path, added));
    } catch (error) {
      if (!(error instanceof MlvError)) throw error;
      errors.push(error);
    }
  }
  return errors;
}

/** What the commits before name was somewhere then: of a partial directory, or of what is merged, most is not here. */
async function committed(repository: OpenRepository): Promise<Target[]> {
  const { git } = repository;
  const head = await git.head();
  const targets: Target[] = [];
  for (const revision of [...(head === undefined ? [] : [head]), ...git.incoming()]) {
    targets.push(...(await loadTargetsAt(repository, { kind: 'revision', revision })).targets);
  }
  return targets;
}

function notThere(path: string, objects: number): MlvError {
  const shown = quotePath(path);
  const what = `${formatCount(objects, 'object')} of ${shown} ${objects === 1 ? 'is' : 'are'} not in the cache`;
  return new MlvError('OBJECT_MISSING', what, {
    hint: `record it again: mlv add ${shellQuote(path)}   (or, where a remote has it: mlv fetch ${shellQuote(path)})`,
    data: { path, objects },
  });
}
