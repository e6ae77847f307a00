import { isMlvError, MlvError } from '../core/errors.js';
import type { GitContext } from './context.js';
import type { Git, GitRef } from './git.js';
import type { TextGit } from './simple.js';

/** Git's version, such as `2.39.5`. */
export async function gitVersion(git: TextGit): Promise<string> {
  const text = await git.text('version');
  return /\d+(?:\.\d+)+/.exec(text)?.[0] ?? text.trim();
}

/** The commit that a revision names. Error: `REVISION_UNKNOWN` with Git's reason. */
export async function resolveRevision(git: TextGit, revision: string): Promise<string> {
  if (!isPlausible(revision)) throw unknownRevision(revision);
  try {
    return (await git.text('rev-parse', '--verify', '--end-of-options', `${revision}^{commit}`)).trim();
  } catch (error) {
    if (isMlvError(error, 'GIT_FAILED') && isRefusal(error.data.exitCode)) throw unknownRevision(revision, error);
    throw error;
  }
}

/** False for what no revision can look like, and what Git could take for something else than a revision. */
export function isPlausible(revision: string): boolean {
  return revision !== '' && !revision.startsWith('-') && !/[\0\n\r]/.test(revision);
}

/** The `REVISION_UNKNOWN` error. */
export function unknownRevision(revision: string, cause?: MlvError): MlvError {
  const { stderr } = cause?.data ?? {};
  return new MlvError('REVISION_UNKNOWN', `'${revision}' names no commit in this repository`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'list what there is with `git log --oneline --all`; a shallow clone may need `git fetch --unshallow`',
    data: { revision, ...(typeof stderr === 'string' ? { stderr } : {}) },
  });
}

/** The commit of HEAD, or undefined before the first commit. */
export async function headCommit(context: GitContext): Promise<string | undefined> {
  const { stdout, code } = await context.run(['rev-parse', '--verify', '--quiet', 'HEAD'], { accept: [0, 1] });
  return code === 0 ? stdout.toString('utf8').trim() : undefined;
}

/** True for a clone that lacks history. */
export async function isShallow(git: TextGit): Promise<boolean> {
  return (await git.text('rev-parse', '--is-shallow-repository')).trim() === 'true';
}

const REF_FIELDS = ['refname', 'symref', 'objecttype', 'objectname', '*objecttype', '*objectname'];
const REF_FORMAT = REF_FIELDS.map((field) => `%(${field})`).join('%00');

/** The refs of the kinds asked for that lead to a commit, tags peeled; symbolic refs are left out. */
export async function listRefs(git: TextGit, kinds: Parameters<Git['refs']>[0]): Promise<GitRef[]> {
  const patterns = [
    ...(kinds.branches ? ['refs/heads'] : []),
    ...(kinds.tags ? ['refs/tags'] : []),
    ...(kinds.remoteBranches ? ['refs/remotes'] : []),
  ];
  if (patterns.length === 0) return [];
  const output = await git.text('for-each-ref', `--format=${REF_FORMAT}`, ...patterns);
  const found = await Promise.all(
    output
      .split('\n')
      .filter(Boolean)
      .map((line) => readRef(git, line.split('\0'))),
  );
  return found.filter((ref) => ref !== undefined);
}

async function readRef(git: TextGit, fields: string[]): Promise<GitRef | undefined> {
  const [name = '', symref, type, commit = '', peeledType, peeled = ''] = fields;
  if (symref) return undefined;
  if (type === 'commit') return { name, commit };
  if (peeledType === 'commit') return { name, commit: peeled };
  // A tag of a tag: older Git peels one level only here.
  if (peeledType === 'tag') return peelRef(git, name);
  return undefined;
}

async function peelRef(git: TextGit, name: string): Promise<GitRef | undefined> {
  try {
    return { name, commit: await resolveRevision(git, name) };
  } catch (error) {
    if (isMlvError(error, 'REVISION_UNKNOWN')) return undefined;
    throw error;
  }
}

function isRefusal(exitCode: unknown): boolean {
  return exitCode === 1 || exitCode === 128;
}
