import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Finds out what a hook has to do with as little as can be: most commits and checkouts touch no pointer, and then
 * nothing else of mlv is loaded. Only Node's own modules are imported here.
 */

/** What Git gave a hook. */
export interface HookCall {
  name: string;
  /** Its arguments (githooks(5)). */
  args: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Reads standard input to its end. */
  input: () => string;
}

/** A file that a hook has to look at. */
export interface HookFact {
  /** `pointer`: a pointer came or changed; `gone`: a pointer went; `large`: a file goes into Git. */
  kind: 'pointer' | 'gone' | 'large';
  path: string;
  /** Hex name of the blob: of the pointer as it is now, as it was (`gone`), or of the file (`large`). */
  blob: string;
  /** Bytes; 0 for pointers. */
  size: number;
}

/** Files below this many bytes are not told of, whatever the limit in the configuration. */
const LEAST_LARGE_BYTES = 1024 * 1024;

const POINTERS = ':(glob)**/*.mlv';
const NONE = /^0+$/;
const OPTIONS = ['-z', '-r', '--raw', '--no-renames', '--no-abbrev', '--no-ext-diff', '--ignore-submodules'];

/** What there is to do; nothing in most cases. Error: a plain one with Git's own words, since nothing else is loaded. */
export function hookFacts(call: HookCall): HookFact[] {
  if (call.name === 'pre-commit') return stagedFacts(call);
  if (call.name === 'pre-push') return pushedFacts(call);
  const range = changedRange(call);
  if (!range) return [];
  const facts = rawFacts(git(call, ['diff-tree', ...OPTIONS, ...present(call, range), '--', POINTERS]));
  // `post-rewrite` is the end of the rebase, though its directory is still there.
  return facts.length > 0 && call.name !== 'post-rewrite' && isRebasing(call) ? [] : facts;
}

/** The two commits between which a hook's command moved the working tree; undefined where it did not. */
function changedRange(call: HookCall): [string, string] | undefined {
  const [first = '', second = '', third] = call.args;
  if (call.name === 'post-checkout') {
    if (third !== '1' || first === second) return undefined;
    return [NONE.test(first) ? emptyTree(call) : first, second];
  }
  // A squashed merge leaves HEAD where it was, and only the index tells what came.
  if (call.name === 'post-merge') return first === '1' ? ['HEAD', treeOfIndex(call)] : ['ORIG_HEAD', 'HEAD'];
  if (call.name === 'post-commit') return ['HEAD^', 'HEAD'];
  if (call.name !== 'post-rewrite' || first !== 'rebase') return undefined;
  return [rebasedFrom(call), 'HEAD'];
}

/** The range; from nothing, where there is no commit that it could begin at: the first pull, or a first commit. */
function present(call: HookCall, [from, to]: [string, string]): [string, string] {
  if (from !== 'ORIG_HEAD' && from !== 'HEAD^') return [from, to];
  const { status } = start(call, ['rev-parse', '--verify', '--quiet', `${from}^{commit}`]);
  return [status === 0 ? from : emptyTree(call), to];
}

/** Where the branch was before the rebase; ORIG_HEAD, too, unless something on the way has set it again. */
function rebasedFrom(call: HookCall): string {
  for (const directory of rebaseDirectories(call)) {
    const file = resolve(directory, 'orig-head');
    const commit = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
    if (/^[0-9a-f]{40,64}$/.test(commit)) return commit;
  }
  return 'ORIG_HEAD';
}

function emptyTree(call: HookCall): string {
  return git(call, ['hash-object', '-t', 'tree', '--stdin']).trim();
}

function treeOfIndex(call: HookCall): string {
  return git(call, ['write-tree']).trim();
}

/** Git's own list of what an interactive rebase has still to replay. */
const STEPS_OF_REBASE = 'git-rebase-todo';

/** True in the middle of a rebase. One that has nothing to replay only moves the branch forward, and no other hook follows. */
function isRebasing(call: HookCall): boolean {
  return rebaseDirectories(call).some((directory) => {
    const steps = resolve(directory, STEPS_OF_REBASE);
    if (!existsSync(steps)) return true;
    return readFileSync(steps, 'utf8')
      .split('\n')
      .some((line) => line.trim() !== '' && !line.startsWith('#') && line.trim() !== 'noop');
  });
}

function rebaseDirectories(call: HookCall): string[] {
  const paths = git(call, ['rev-parse', '--git-path', 'rebase-merge', '--git-path', 'rebase-apply']);
  return paths
    .split('\n')
    .filter(Boolean)
    .map((path) => resolve(call.cwd, path))
    .filter((path) => existsSync(path));
}

function stagedFacts(call: HookCall): HookFact[] {
  // `diff` and not `diff-index`: it knows the branch that has no commit yet.
  const staged = [
    'diff',
    '--cached',
    '--diff-filter=ACMRT',
    '--no-relative',
    ...OPTIONS.filter((each) => each !== '-r'),
  ];
  const facts = rawFacts(git(call, staged));
  const others = facts.filter(({ path }) => !path.endsWith('.mlv'));
  if (others.length === 0) return facts;
  const sizes = git(call, ['cat-file', '--batch-check=%(objectsize)'], others.map(({ blob }) => `${blob}\n`).join(''));
  const lines = sizes.split('\n');
  const large = others
    .map((fact, index) => ({ ...fact, kind: 'large' as const, size: Number(lines[index]) || 0 }))
    .filter(({ size }) => size >= LEAST_LARGE_BYTES);
  return [...facts.filter(({ path }) => path.endsWith('.mlv')), ...large];
}

/** The pointers that the pushed commits and tags bring and the remote's branches do not have. */
function pushedFacts(call: HookCall): HookFact[] {
  const [remote = ''] = call.args;
  const lines = call
    .input()
    .split('\n')
    .map((line) => line.split(' '));
  const updates = lines.filter(([, local = '']) => local !== '' && !NONE.test(local));
  if (updates.length === 0) return [];
  const known = updates.map(([, , , there = '']) => there).filter((there) => there !== '' && !NONE.test(there));
  // What the remote has is named only where this clone has it, too: Git would refuse to start from anything else.
  const present = git(call, ['cat-file', '--batch-check=%(objecttype)'], known.map((each) => `${each}\n`).join(''))
    .split('\n')
    .map((line) => line.trim());
  const without = known.filter((_, index) => present[index] === 'commit' || present[index] === 'tag');
  const input = [...updates.map(([, local]) => local), ...without.map((each) => `^${each}`), ''].join('\n');
  const log = ['-c', 'log.showRoot=true', '-c', 'log.showSignature=false', 'log', '-c', '--format=', '--full-history'];
  const scope = remote === '' ? [] : ['--not', `--remotes=${remote.replaceAll(/[*?[\\]/g, '\\$&')}`, '--not'];
  return rawFacts(git(call, [...log, ...OPTIONS, ...scope, '--stdin', '--', POINTERS], input)).filter(
    ({ kind }) => kind === 'pointer',
  );
}

/** The entries of `--raw -z`: `:modes and blobs status NUL path NUL`, with a colon, mode and blob more a parent. */
function rawFacts(text: string): HookFact[] {
  const pieces = text.split('\0');
  const facts: HookFact[] = [];
  for (let at = 0; at + 1 < pieces.length; at += 2) {
    const [entry = '', path = ''] = [pieces[at], pieces[at + 1]];
    const parents = /^\n*(:*)/.exec(entry)?.[1]?.length ?? 1;
    const fields = entry.replace(/^\n*:*/, '').split(' ');
    const [before = '', after = ''] = [fields[parents + 1], fields[2 * parents + 1]];
    if (NONE.test(after)) facts.push({ kind: 'gone', path, blob: before, size: 0 });
    else if (fields[parents]?.startsWith('100')) facts.push({ kind: 'pointer', path, blob: after, size: 0 });
  }
  return facts;
}

function git(call: HookCall, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = start(call, args, input);
  if (status === 0) return stdout;
  throw new Error(`'git ${args.find((arg) => !arg.startsWith('-'))}' failed: ${stderr?.trim() || error?.message}`);
}

function start({ cwd, env }: HookCall, args: readonly string[], input = ''): SpawnSyncReturns<string> {
  const clean: NodeJS.ProcessEnv = { ...env, LC_ALL: 'C' };
  delete clean.GIT_LITERAL_PATHSPECS;
  const options = { cwd, env: clean, input, encoding: 'utf8', maxBuffer: 2 ** 30, windowsHide: true } as const;
  return spawnSync('git', args, options);
}
