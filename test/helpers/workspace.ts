import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openGit } from '../../src/git/open.js';
import { ObjectCache } from '../../src/objects/cache.js';
import { type HashPreference, loadHash } from '../../src/objects/hash.js';
import type { Algorithm, Oid } from '../../src/objects/oid.js';
import { type AddOptions, type AddResult, add } from '../../src/workspace/add.js';
import { checkout } from '../../src/workspace/checkout.js';
import type { CheckoutReport } from '../../src/workspace/checkout-directory.js';
import type { CheckoutOptions } from '../../src/workspace/checkout-work.js';
import { type Pointer, parsePointer } from '../../src/workspace/pointer-format.js';
import { loadTargets, selectTargets } from '../../src/workspace/pointers.js';
import type { Repository, WorkspaceSettings } from '../../src/workspace/repository.js';
import { StatIndex } from '../../src/workspace/stat-index.js';
import { type StatusResult, status, type TargetStatus } from '../../src/workspace/status.js';
import { gitTestEnvironment, type TestRepository, testRepository } from './git.js';

export interface TestWorkspaceOptions extends Partial<WorkspaceSettings> {
  algorithm?: Algorithm;
  hash?: HashPreference;
  /** Where the cache lies; `<git common dir>/mlv` by default. */
  cache?: string;
  /** An existing repository, instead of a new one. */
  git?: TestRepository;
}

/** A repository of mlv over real Git and real files, with short names for what tests do all the time. */
export interface TestWorkspace {
  readonly repository: Repository;
  /** Top of the working tree. */
  readonly dir: string;
  readonly git: TestRepository;
  /** Absolute path of a repository path. */
  at(path: string): string;
  write(path: string, content: string | Buffer, mode?: number): void;
  read(path: string): string;
  has(path: string): boolean;
  delete(...paths: string[]): void;
  add(paths: string | readonly string[], options?: AddOptions): Promise<AddResult>;
  status(...paths: string[]): Promise<StatusResult>;
  /** The status of the one target that the path names. */
  statusOf(path: string): Promise<TargetStatus>;
  /** `kind path` of everything that status reports as different, sorted; `kind from -> path` for renames. */
  changes(...paths: string[]): Promise<string[]>;
  checkout(paths?: readonly string[], options?: CheckoutOptions): Promise<CheckoutReport>;
  pointer(path: string): Pointer;
  pointerText(path: string): string;
  /** Absolute path of an object in the cache. */
  objectPath(oid: Oid): string;
  /** The oid of some content. */
  oidOf(content: string | Buffer): Oid;
}

/** Opens a repository for tests: copies by default, as a user has it on a file system without reflinks. */
export async function testWorkspace(options: TestWorkspaceOptions = {}): Promise<TestWorkspace> {
  const made = options.git ?? testRepository();
  const git = await openGit(made.dir, { env: gitTestEnvironment() });
  const hash = await loadHash(options.algorithm ?? 'blake3', options.hash);
  const { linkModes = ['reflink', 'copy'], verify = false, stage = false } = options;
  const repository: Repository = {
    git,
    layout: git.layout,
    hash,
    cache: new ObjectCache(options.cache ?? join(git.layout.commonDir, 'mlv'), hash),
    index: new StatIndex(git.layout.gitDir, hash),
    settings: { linkModes, verify, stage },
  };
  return wrap(repository, made);
}

function wrap(repository: Repository, git: TestRepository): TestWorkspace {
  const { worktree } = repository.layout;
  const at = (path: string): string => join(worktree, path);
  const pointerText = (path: string): string => readFileSync(at(`${path}.mlv`), 'utf8');
  const workspaceStatus = (...paths: string[]): Promise<StatusResult> => status(repository, paths);
  return {
    repository,
    dir: worktree,
    git,
    at,
    pointerText,
    write: (path, content, mode) => {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), content);
      if (mode !== undefined) chmodSync(at(path), mode);
    },
    read: (path) => readFileSync(at(path), 'utf8'),
    has: (path) => existsSync(at(path)),
    delete: (...paths) => {
      for (const path of paths) rmSync(at(path), { recursive: true, force: true });
    },
    add: (paths, options) => add(repository, typeof paths === 'string' ? [paths] : paths, options),
    status: workspaceStatus,
    statusOf: async (path) => (await workspaceStatus(path)).targets[0] as TargetStatus,
    changes: async (...paths) => (await workspaceStatus(...paths)).targets.flatMap(describeChanges).sort(),
    checkout: async (paths = [], options = {}) => {
      const { targets } = await loadTargets(repository);
      return checkout(repository, selectTargets(targets, paths), options);
    },
    pointer: (path) => parsePointer(pointerText(path), `${path}.mlv`),
    objectPath: (oid) => repository.cache.pathOf(oid),
    oidOf: (content) => repository.cache.oid(repository.hash.digest(Buffer.from(content))),
  };
}

function describeChanges({ changes }: TargetStatus): string[] {
  return changes.map(({ kind, path, from }) => (from === undefined ? `${kind} ${path}` : `${kind} ${from} -> ${path}`));
}
