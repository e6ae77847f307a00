import { MlvError } from '../../core/errors.js';
import type { RemoteFinding } from '../../transfer/fsck-remote.js';
import type { FailedObject } from '../../transfer/roots.js';
import type { FsckReport } from '../../workspace/fsck.js';
import { escapeControls, quotePath } from './quote.js';
import { formatBytes, formatCount } from './units.js';

/** What was found on one remote. */
export interface CheckedRemote {
  remote: string;
  url: string;
  roots: number;
  records: number;
  packs: number;
  bytes: number;
  findings: RemoteFinding[];
  /** Everything that was found is mended. */
  repaired: boolean;
  /** What the repair could not mend. */
  failed: FailedObject[];
}

/** Everything that `mlv fsck` found. */
export interface FsckFindings {
  cache: FsckReport;
  /** Files of the workspace whose content changed while their times did not. */
  unnoticed: readonly string[];
  remotes: readonly CheckedRemote[];
  /** What a repair fetched again, a line for each remote. */
  fetched: readonly string[];
  repair: boolean;
  /** Options and paths that say what was looked at, as words for a shell, so that a repair looks at the same. */
  scope: readonly string[];
}

/** The findings as lines, one each, after a line of what was looked at. */
export function* fsckLines({ cache, unnoticed, remotes, fetched }: FsckFindings): Generator<string> {
  yield `cache: ${formatCount(cache.objects, 'object')} (${formatBytes(cache.bytes)}) read, ${cache.damaged.length} damaged`;
  for (const { oid, path, movedTo } of cache.damaged)
    yield `    damaged: ${oid} (${quotePath(movedTo ?? path)}${movedTo ? ', set aside' : ''})`;
  for (const { message } of cache.contradicted) yield `    pointer: ${escapeControls(message)}`;
  for (const { path, objects, bytes } of cache.incomplete) {
    yield `    not in the cache: ${formatCount(objects, 'object')} (${formatBytes(bytes)}) of ${quotePath(path)}`;
  }
  for (const line of fetched) yield `    repair: ${escapeControls(line)}`;
  if (cache.freed > 0) yield `    ${formatBytes(cache.freed)} of temporary files removed`;
  yield `workspace: ${unnoticed.length === 0 ? 'nothing changed unnoticed' : `${formatCount(unnoticed.length, 'file')} changed unnoticed`}`;
  for (const path of unnoticed) yield `    ${quotePath(path)}`;
  for (const remote of remotes) yield* remoteLines(remote);
}

function* remoteLines({ remote, url, records, packs, bytes, findings, repaired }: CheckedRemote): Generator<string> {
  const state =
    findings.length === 0 ? 'complete' : `${formatCount(findings.length, 'finding')}${repaired ? ', repaired' : ''}`;
  yield `${remote} (${escapeControls(url)}): ${formatCount(records, 'record')}, ${formatCount(packs, 'pack')} (${formatBytes(bytes)}) checked, ${state}`;
  for (const { key, paths, message } of findings) {
    yield `    ${escapeControls(message)} [${key}], needed for ${paths.slice(0, 5).map(quotePath).join(', ')}${paths.length > 5 ? ', …' : ''}`;
  }
}

/** What is still wrong, as errors: damage ends with 5, what a remote lacks with 4. */
export function fsckErrors({ cache, unnoticed, remotes, repair, scope }: FsckFindings): MlvError[] {
  const errors: MlvError[] = [];
  if (cache.damaged.length > 0 && !repair) {
    const what = `${formatCount(cache.damaged.length, 'object')} of the cache ${cache.damaged.length === 1 ? 'is' : 'are'} damaged`;
    const hint = 'set them aside and fetch them again: mlv fsck --repair';
    errors.push(new MlvError('OBJECT_CORRUPT', what, { hint, data: { oids: cache.damaged.map(({ oid }) => oid) } }));
  }
  if (cache.contradicted.length > 0) {
    const paths = cache.contradicted.map(({ path }) => path);
    const hint = 'take the pointer back from Git, or record the content anew: mlv add';
    errors.push(
      new MlvError('POINTER_INVALID', 'pointers say something else than their objects', { hint, data: { paths } }),
    );
  }
  if (unnoticed.length > 0 && !repair) {
    const hint = 'mlv fsck --repair makes mlv status see them, mlv checkout --force brings the recorded content back';
    errors.push(
      new MlvError('OBJECT_CORRUPT', 'files of the workspace changed while their times did not', {
        hint,
        data: { paths: unnoticed },
      }),
    );
  }
  return [...errors, ...remotes.flatMap((remote) => remoteErrors(remote, scope))];
}

function remoteErrors({ remote, url, findings, repaired }: CheckedRemote, scope: readonly string[]): MlvError[] {
  const [first] = findings;
  if (!first || repaired) return [];
  const damaged = findings.some(({ kind }) => kind.endsWith('-damaged'));
  const what = damaged ? 'has damage' : 'lacks something';
  const paths = [...new Set(findings.flatMap((finding) => finding.paths))];
  return [
    new MlvError(damaged ? 'PACK_INVALID' : 'OBJECT_MISSING', `remote '${remote}' (${url}) ${what}: ${first.message}`, {
      hint: /^https?:/.test(url)
        ? `upload it from a clone that has it, to the storage behind this address: ${repair('<remote>', scope)}`
        : `upload it from a clone that has it: ${repair(remote, scope)}`,
      data: { remote, paths },
    }),
  ];
}

function repair(remote: string, scope: readonly string[]): string {
  return ['mlv fsck', `--remote=${remote}`, '--repair', ...scope].join(' ');
}
