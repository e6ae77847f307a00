import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMlvError, MlvError } from '../core/errors.js';
import { redactUrl } from '../core/redact.js';
import { type GitContext, gitContext } from './context.js';
import type { ElsewhereAddress } from './elsewhere-address.js';
import { elsewhereEnvironment, SOURCE } from './elsewhere-environment.js';
import type { Git } from './git.js';
import { gitOver } from './open.js';
import { type GitOutcome, runGit } from './process.js';

/** How a repository elsewhere is read. */
export interface ElsewhereOptions {
  /** The user's environment. */
  env: NodeJS.ProcessEnv;
  /** Absolute path of a directory that nobody else uses; Git's data goes below it. */
  directory: string;
  /** Git may ask the user for a password. */
  interactive: boolean;
  signal?: AbortSignal;
}

/** What of a Git repository elsewhere was asked for, and no more, in a bare repository of its own. */
export interface ElsewhereGit {
  readonly address: ElsewhereAddress;
  /** Reads what was fetched. Never reaches the network; its working tree is an empty directory. */
  readonly git: Git;
  /**
   * Fetches the commit that a revision names there (a branch, a tag, a commit, what Git can make of them; the default
   * branch where undefined), with its trees and without its files, and gives its name. With `registry`, the branch of that
   * name comes, too. Errors: `REVISION_UNKNOWN`; `GIT_FAILED` with Git's own words where the repository cannot be read.
   */
  fetchRevision(revision: string | undefined, registry?: string): Promise<{ commit: string; registry?: string }>;
  /** Fetches a commit by its name or, where the server does not give it, that of a tag; false where neither is there. */
  fetchCommit(commit: string, tag: string): Promise<boolean>;
  /** The whole history of a branch, commits alone: for what was when. */
  fetchHistory(branch: string): Promise<void>;
  /** Fetches those of some blobs of a commit that are not here yet, all at once. Error: `GIT_FAILED`. */
  fetchBlobs(commit: string, blobs: readonly string[]): Promise<void>;
  /** The bytes of one blob as they come, of any size. Error: `GIT_FAILED`. */
  readBlob(blob: string, take: (bytes: Buffer) => void): Promise<void>;
  /** Bytes of packs that Git received. */
  received(): number;
}

const FETCH = ['fetch', '--no-progress', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head'];
const NARROW = ['--depth=1', '--filter=blob:none'];
const REVISION_REF = 'refs/mlv/revision';

/** Prepares to read a repository; nothing is fetched yet. Errors: `GIT_FAILED`, `GIT_NOT_FOUND`. */
export async function openElsewhereGit(address: ElsewhereAddress, options: ElsewhereOptions): Promise<ElsewhereGit> {
  const gitDir = join(options.directory, 'git');
  const worktree = join(options.directory, 'empty');
  mkdirSync(worktree, { recursive: true });
  const reader = new Reader(address, { ...options, directory: gitDir });
  await makeBare(gitDir, options.env, []);
  const context = gitContext({ worktree, gitDir, commonDir: gitDir, prefix: '' }, elsewhereEnvironment(options.env));
  const git = gitOver(context);
  return {
    address,
    git,
    fetchRevision: (revision, registry) => fetchRevision(reader, git, { revision, registry, options }),
    fetchCommit: async (commit, tag) =>
      (await reader.fetch([...NARROW, SOURCE, commit])) || reader.fetch([...NARROW, SOURCE, `refs/tags/${tag}`]),
    fetchHistory: async (branch) => {
      const refspec = `+refs/heads/${branch}:refs/heads/${branch}`;
      // Shallow so far: what is before must be asked for.
      await reader.require(['--filter=blob:none', '--unshallow', SOURCE, refspec]);
    },
    fetchBlobs: async (commit, blobs) => {
      const lacking = await missingBlobs(context, commit);
      const wanted = [...new Set(blobs)].filter((blob) => lacking.has(blob));
      if (wanted.length > 0) await reader.fetchObjects(wanted);
    },
    readBlob: async (blob, take) => {
      const onStdout = (chunk: Buffer): boolean => {
        take(chunk);
        return true;
      };
      await context.run(['--no-replace-objects', 'cat-file', 'blob', blob], { onStdout });
    },
    received: () => packBytes(join(gitDir, 'objects', 'pack')),
  };
}

async function makeBare(gitDir: string, env: NodeJS.ProcessEnv, format: readonly string[]): Promise<void> {
  mkdirSync(gitDir, { recursive: true });
  const args = ['init', '--quiet', '--bare', '--template=', ...format, '--', gitDir];
  await runGit(args, { cwd: gitDir, env: elsewhereEnvironment(env) });
}

/** Object names of 64 digits are those of SHA-256. */
const SHA256_DIGITS = 64;

/** The one way to the source. */
class Reader {
  private readonly env: NodeJS.ProcessEnv;
  /** True when what is here has the object format of the source, or nothing is known of that. */
  private isFormatKnown = false;
  private asked: Promise<Map<string, string> | undefined> | undefined;

  constructor(
    readonly address: ElsewhereAddress,
    private readonly options: ElsewhereOptions,
  ) {
    this.env = elsewhereEnvironment(options.env, { url: address.url, local: address.local !== undefined });
  }

  /** True when Git did it; what it said otherwise is in `said`. Errors: those of a Git that cannot be started. */
  async fetch(args: readonly string[]): Promise<boolean> {
    const { code, stderr } = await this.run([...FETCH, ...args]);
    if (code === 0) {
      this.isFormatKnown = true;
      return true;
    }
    this.said = redactUrl(stderr).trim();
    return (await this.adoptFormat()) && this.fetch(args);
  }

  /** Git fetches between repositories of one object format only: makes this one anew where the source has the other. */
  private async adoptFormat(): Promise<boolean> {
    if (this.isFormatKnown) return false;
    this.isFormatKnown = true;
    const said = this.said;
    const [name] = (await this.refs())?.values() ?? [];
    this.said = said;
    if (name?.length !== SHA256_DIGITS) return false;
    const { directory, env } = this.options;
    rmSync(directory, { recursive: true });
    await makeBare(directory, env, ['--object-format=sha256']);
    return true;
  }

  said = '';

  async require(args: readonly string[]): Promise<void> {
    if (!(await this.fetch(args))) throw this.unreadable();
  }

  /** Refs of the source by name, peeled; undefined where it cannot be asked. */
  refs(): Promise<Map<string, string> | undefined> {
    this.asked ??= this.ask();
    return this.asked;
  }

  private async ask(): Promise<Map<string, string> | undefined> {
    const { code, stdout, stderr } = await this.run(['ls-remote', SOURCE]);
    if (code !== 0) {
      this.said = redactUrl(stderr).trim();
      return undefined;
    }
    const lines = stdout.toString('utf8').split('\n').filter(Boolean);
    return new Map(lines.map((line) => line.split('\t').reverse() as [string, string]));
  }

  async fetchObjects(names: readonly string[]): Promise<void> {
    const input = names.map((name) => `${name}\n`).join('');
    const args = ['-c', 'fetch.negotiationAlgorithm=noop', ...FETCH, '--filter=blob:none', '--stdin', SOURCE];
    const { code, stderr } = await this.run(args, input);
    if (code === 0) return;
    this.said = redactUrl(stderr).trim();
    throw this.unreadable();
  }

  unreadable(): MlvError {
    const { shown } = this.address;
    return new MlvError(
      'GIT_FAILED',
      `the Git repository ${shown} cannot be read: ${this.said || 'Git gave no reason'}`,
      {
        hint: `see whether Git can: git ls-remote ${shown}`,
        data: { url: shown, stderr: this.said },
      },
    );
  }

  private run(args: readonly string[], input?: string): Promise<GitOutcome> {
    const { directory, interactive, signal } = this.options;
    return runGit(['--git-dir', directory, ...args], {
      cwd: directory,
      env: this.env,
      accept: [0, 1, 2, 128, 129],
      quiet: !interactive,
      ...(input !== undefined && { input }),
      ...(signal && { signal }),
    });
  }
}

interface Wanted {
  revision: string | undefined;
  registry: string | undefined;
  options: ElsewhereOptions;
}

async function fetchRevision(reader: Reader, git: Git, wanted: Wanted): Promise<{ commit: string; registry?: string }> {
  const { revision = 'HEAD', registry, options } = wanted;
  // A pattern may match nothing, where a name that is not there fails the whole.
  const further = registry === undefined ? [] : [`+refs/heads/${registry}*:refs/heads/${registry}*`];
  const name = isRefName(revision) ? revision : await findInHistory(reader, { revision, options });
  const refspec = `+${name}:${REVISION_REF}`;
  if (!(await reader.fetch([...NARROW, SOURCE, refspec, ...further]))) {
    const said = reader.said;
    const refs = await reader.refs();
    if (!refs) throw reader.unreadable();
    if (!isThere(name, refs)) throw unknownThere(revision, reader.address, refs);
    // A server that knows neither depth nor filter gives the whole.
    if (!(await reader.fetch([SOURCE, refspec, ...further]))) {
      reader.said = said;
      throw reader.unreadable();
    }
  }
  const tips = new Map((await git.plumbing.currentRefs(['refs/heads/*'])).map((ref) => [ref.name, ref.object]));
  const tip = registry === undefined ? undefined : tips.get(`refs/heads/${registry}`);
  try {
    return { commit: await git.resolve(REVISION_REF), ...(tip !== undefined && { registry: tip }) };
  } catch (error) {
    if (!isMlvError(error, 'REVISION_UNKNOWN')) throw error;
    throw unknownThere(revision, reader.address, new Map());
  }
}

/** A ref's name or a commit's whole name; anything else must be worked out from the history. */
function isRefName(revision: string): boolean {
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(revision)) return true;
  return !/[~^:?*[\\\s]|@\{|\.\.|^[-+]|^[0-9a-f]{7,63}$/.test(revision);
}

/** The commit of `main~2`, `1a2b3c4d` or `v1.0^{}`: all commits, and nothing else, are fetched apart from the rest. */
async function findInHistory(
  reader: Reader,
  { revision, options }: { revision: string; options: ElsewhereOptions },
): Promise<string> {
  if (/^[-+]|[:*?[\\\s]|\.\./.test(revision)) throw unknownThere(revision, reader.address, new Map());
  const apart = { ...options, directory: join(options.directory, 'history') };
  mkdirSync(apart.directory, { recursive: true });
  const { git, all } = await openHistory(reader.address, apart);
  await all();
  try {
    return await git.resolve(revision);
  } catch (error) {
    if (!isMlvError(error, 'REVISION_UNKNOWN')) throw error;
    throw unknownThere(revision, reader.address, new Map());
  }
}

async function openHistory(
  address: ElsewhereAddress,
  options: ElsewhereOptions,
): Promise<{ git: Git; all: () => Promise<void> }> {
  const { git } = await openElsewhereGit(address, options);
  const reader = new Reader(address, { ...options, directory: git.layout.gitDir });
  const refspecs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
  return {
    git,
    all: () => reader.require(['--filter=tree:0', '--update-head-ok', SOURCE, ...refspecs]),
  };
}

function isThere(name: string, refs: ReadonlyMap<string, string>): boolean {
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(name)) return [...refs.values()].includes(name);
  return [name, `refs/${name}`, `refs/tags/${name}`, `refs/heads/${name}`].some((each) => refs.has(each));
}

function unknownThere(revision: string, { shown }: ElsewhereAddress, refs: ReadonlyMap<string, string>): MlvError {
  const empty = revision === 'HEAD' && refs.size === 0;
  const message = empty ? `${shown} has no commit yet` : `'${revision}' names no commit of ${shown}`;
  return new MlvError('REVISION_UNKNOWN', message, {
    hint: `list its branches and tags: git ls-remote ${shown}`,
    data: { revision, url: shown },
  });
}

/** The blobs that a commit names and that are not here. */
async function missingBlobs(context: GitContext, commit: string): Promise<Set<string>> {
  const args = ['rev-list', '--objects', '--missing=print', '--no-object-names', '--max-count=1', commit, '--'];
  const { stdout } = await context.run(args);
  const lines = stdout.toString('latin1').split('\n');
  return new Set(lines.filter((line) => line.startsWith('?')).map((line) => line.slice(1)));
}

function packBytes(directory: string): number {
  try {
    const packs = readdirSync(directory).filter((name) => name.endsWith('.pack'));
    return packs.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  } catch {
    return 0;
  }
}
