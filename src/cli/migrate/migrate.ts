import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isMlvError, MlvError } from '../../core/errors.js';
import { inShellQuotes } from '../../core/shell-quote.js';
import type { GitRewriting, NewCommit, RewriteCommit, RewriteDifference } from '../../git/rewriting.js';
import { applyCommit, type CommitToApply, checkUntouched } from '../../interop/apply-commit.js';
import { fillWorkspace } from '../../interop/fill-workspace.js';
import { foreseenDifferences } from '../../interop/foreseen-differences.js';
import { proveClaims } from '../../interop/prove.js';
import { changesOnTop, rewrittenCommits } from '../../interop/rewrite-commits.js';
import { type HistoryRef, historyRefs, type MovedRef, moveRefs } from '../../interop/rewrite-refs.js';
import { commitStates, type State, stateOf } from '../../interop/rewrite-state.js';
import { absolutePath, type RepositoryPath } from '../../workspace/paths.js';
import { parsePointer } from '../../workspace/pointer-format.js';
import { pointerPathOf } from '../../workspace/pointers.js';
import { OWN_FILE_LIMIT, readWholeTextFile } from '../../workspace/text-file.js';
import { writeWholeFile } from '../../workspace/write-whole-file.js';
import type { OpenRepository } from '../context.js';
import type { Session } from '../session.js';
import { Conversions } from './conversions.js';
import type { MigratedPointer, MigratedState, Migration, MigrationOptions, MigrationOutcome } from './migration.js';

/**
 * Migrates HEAD, or every branch and tag. Nothing of Git or the working tree is touched before all contents are in the
 * cache and proved. Errors: `REVISION_UNKNOWN` without a commit, `HISTORY_INCOMPLETE`, `WORKSPACE_DIRTY`, those of the
 * migration, and what is kept where `keepGoing` is not set.
 */
export async function migrate(
  session: Session,
  repository: OpenRepository,
  { migration, options }: { migration: Migration; options: MigrationOptions },
): Promise<MigrationOutcome> {
  const { git } = repository;
  const rewriting = await git.rewriting();
  const head = await git.head();
  if (head === undefined) {
    throw new MlvError('REVISION_UNKNOWN', 'there is no commit yet, and so nothing to migrate', {
      hint: 'commit what is there first',
    });
  }
  const run = new MigrationRun(session, repository, { migration, options, rewriting, head });
  return options.history ? run.histories() : run.headOnly();
}

type CommittedFiles = Awaited<ReturnType<GitRewriting['files']>>;

interface RunParts {
  migration: Migration;
  options: MigrationOptions;
  rewriting: GitRewriting;
  head: string;
}

interface RewrittenHistories {
  commits: readonly RewriteCommit[];
  /** What takes the place of each. */
  rewritten: readonly NewCommit[];
  headState: MigratedState;
}

class MigrationRun {
  private readonly outcome: MigrationOutcome = {
    pointers: [],
    kept: [],
    commit: undefined,
    staged: false,
    rewritten: undefined,
    proof: undefined,
    filled: 0,
    refusals: [],
  };

  constructor(
    private readonly session: Session,
    private readonly repository: OpenRepository,
    private readonly parts: RunParts,
  ) {}

  async headOnly(): Promise<MigrationOutcome> {
    const { migration, rewriting, head, options } = this.parts;
    const files = await rewriting.files(head);
    await migration.load([], files);
    const state = stateOf(files, migration.isRelevant);
    await migration.take(() => [state], state, options.dryRun);
    const converted = migration.convert(state);
    this.takeHead(converted);
    this.outcome.kept.push(...converted.kept);
    const [first] = this.outcome.kept;
    if (options.dryRun) {
      await this.foresee({ files, state, head: converted });
      return this.outcome;
    }
    if (first && !options.keepGoing) return this.outcome;
    await this.prove(converted.pointers);
    const changes = changesOnTop(state, converted.overlay);
    if (changes.length === 0) return this.outcome;
    const tree = await rewriting.writeTree(head, changes);
    await this.apply(await this.commitToApply(head, tree), converted, async () => {
      // Who Git takes the user for, and whether it can sign, shows before the working tree is touched.
      const commit = options.commit ? await this.commit(tree) : undefined;
      return async () => {
        if (commit !== undefined) await this.moveHead(commit);
        this.outcome.commit = commit;
        this.outcome.staged = commit === undefined;
      };
    });
    return this.outcome;
  }

  async histories(): Promise<MigrationOutcome> {
    const { migration, rewriting, head, options } = this.parts;
    const { git } = this.repository;
    if (await git.isShallow()) {
      throw new MlvError('HISTORY_INCOMPLETE', 'this clone is shallow: its history cannot be rewritten', {
        hint: 'get all of it first: git fetch --unshallow',
      });
    }
    const refs = await historyRefs(git);
    if (options.replace) await this.refuseOtherWorktrees(refs);
    const commits = await rewriting.commits([...new Set([head, ...refs.map(({ commit }) => commit)])]);
    const files = await rewriting.files(head);
    await migration.load(commits, files);
    const headState = stateOf(files, migration.isRelevant);
    const states = function* (): Generator<State> {
      for (const { state, before } of commitStates(commits, migration.isRelevant)) if (state !== before) yield state;
    };
    await migration.take(states, headState, options.dryRun);
    const conversions = new Conversions(migration);
    const rewritten = rewrittenCommits(commits, {
      isRelevant: migration.isRelevant,
      convert: (state, commit) => conversions.convert(state, commit),
    });
    const converted = migration.convert(headState);
    this.takeHead(converted);
    this.outcome.kept.push(...conversions.kept);
    if (options.dryRun) {
      this.outcome.rewritten = { commits: commits.length, changed: 0, map: '', refs: [] };
      if (options.replace && (await git.branch()) !== undefined) {
        await this.foresee({ files, state: headState, head: converted });
      }
      return this.outcome;
    }
    // Nothing of the other tool in any commit: the same history once more helps nobody.
    if (conversions.pointers.length === 0) return this.outcome;
    await this.prove(conversions.pointers);
    await this.writeHistories(refs, { commits, rewritten, headState: converted });
    return this.outcome;
  }

  private async writeHistories(
    refs: readonly HistoryRef[],
    { commits, rewritten, headState }: RewrittenHistories,
  ): Promise<void> {
    const names = await this.parts.rewriting.writeCommits(rewritten);
    const map = new Map(commits.map(({ commit }, at) => [commit, names[at] as string]));
    const file = this.writeMap(map);
    const changed = [...map].filter(([from, to]) => from !== to).length;
    const moved = await this.moveHistories(refs, { map, headState });
    this.outcome.rewritten = { refs: moved, commits: commits.length, changed, map: file };
  }

  private async moveHistories(
    refs: readonly HistoryRef[],
    { map, headState }: { map: ReadonlyMap<string, string>; headState: MigratedState },
  ): Promise<MovedRef[]> {
    const { rewriting, head, options } = this.parts;
    const { git } = this.repository;
    let moved: MovedRef[] = [];
    const move = async (): Promise<void> => {
      moved = await moveRefs({ git, rewriting }, refs, { rewritten: map, replace: options.replace });
    };
    const target = map.get(head);
    const branch = await git.branch();
    // Where HEAD is on no branch, no ref of it moves, and the workspace stays.
    if (!options.replace || target === undefined || branch === undefined) await move();
    else await this.apply(await this.commitToApply(head, target), headState, async () => move);
    return moved;
  }

  /** Asks of the working tree what a real run would ask before it writes over it. */
  private async foresee({ files, state, head }: { files: CommittedFiles; state: State; head: MigratedState }) {
    const differences = foreseenDifferences(files, changesOnTop(state, head.overlay));
    const commit = this.toApply(differences);
    // Which object they will name is not known yet; one that is there was written by a migration that was killed.
    for (const { path } of head.pointers) if (this.isPointer(path)) commit.derived.add(pointerPathOf(path));
    try {
      await checkUntouched(this.repository, this.parts.rewriting, commit);
    } catch (error) {
      if (!isMlvError(error, 'WORKSPACE_DIRTY')) throw error;
      this.outcome.refusals.push(error);
    }
  }

  private isPointer(path: RepositoryPath): boolean {
    const file = pointerPathOf(path);
    const found = readWholeTextFile(absolutePath(this.repository.layout, file), OWN_FILE_LIMIT);
    if (!found || !('text' in found)) return false;
    try {
      parsePointer(found.text, file);
      return true;
    } catch (error) {
      if (isMlvError(error)) return false;
      throw error;
    }
  }

  private takeHead(converted: MigratedState): void {
    this.outcome.pointers = converted.pointers;
  }

  private async prove(pointers: Iterable<MigratedPointer>): Promise<void> {
    await this.parts.migration.settle();
    const phase = this.session.reporter.phase('Proving', { unit: 'files' });
    try {
      const onObject = (bytes: number): void => phase.advance({ items: 1, bytes });
      this.outcome.proof = await proveClaims(this.repository.cache, pointers, {
        onObject,
        signal: this.session.signal,
      });
    } finally {
      phase.end();
    }
  }

  private async commitToApply(head: string, target: string): Promise<CommitToApply> {
    return this.toApply(await this.parts.rewriting.difference(head, target));
  }

  private toApply(differences: readonly RewriteDifference[]): CommitToApply & { derived: Set<RepositoryPath> } {
    const { migration } = this.parts;
    const derived = new Set<RepositoryPath>();
    // It was made of what the working tree has where no commit has one.
    if (differences.some(({ path, before }) => path === 'mlv.yaml' && before === undefined)) derived.add('mlv.yaml');
    return { differences, stays: (path) => migration.stays(path), derived };
  }

  /**
   * Refs move last: until then, a second run finds everything that a first one was killed before. `prepare` is called
   * before anything is written, and gives what moves them.
   */
  private async apply(
    commit: CommitToApply,
    head: MigratedState,
    prepare: () => Promise<() => Promise<void>>,
  ): Promise<void> {
    const { rewriting, migration } = this.parts;
    await checkUntouched(this.repository, rewriting, commit);
    const moveRefsOnce = await prepare();
    await applyCommit(this.repository, rewriting, commit);
    this.outcome.filled = await fillWorkspace(this.repository, migration.standIns(head));
    await moveRefsOnce();
  }

  /** Makes the commit; no ref has it yet. */
  private async commit(tree: string): Promise<string> {
    const { plumbing } = this.repository.git;
    const { head, options } = this.parts;
    const sign = await plumbing.signsCommits();
    return plumbing.commitTree({ tree, parents: [head], message: options.message, sign });
  }

  private async moveHead(commit: string): Promise<void> {
    const { plumbing } = this.repository.git;
    if (await plumbing.updateRefs([{ name: 'HEAD', to: commit, from: this.parts.head }])) return;
    throw new MlvError('GIT_FAILED', 'the branch was changed by someone else meanwhile', {
      hint: 'run the same command again',
    });
  }

  private async refuseOtherWorktrees(refs: readonly HistoryRef[]): Promise<void> {
    const { git, layout } = this.repository;
    for (const { name } of refs.filter((each) => each.name.startsWith('refs/heads/'))) {
      const place = await git.plumbing.checkedOutAt(name);
      if (place === undefined || place === layout.worktree) continue;
      throw new MlvError(
        'WORKSPACE_DIRTY',
        `the branch ${name.slice('refs/heads/'.length)} is checked out in '${place}'`,
        {
          hint: `take that working tree away first: git worktree remove ${inShellQuotes(place)}`,
          data: { paths: [place] },
        },
      );
    }
  }

  private writeMap(map: ReadonlyMap<string, string>): string {
    const directory = join(this.repository.layout.commonDir, 'mlv', 'migration');
    mkdirSync(directory, { recursive: true });
    const file = join(directory, `${this.parts.options.tool}-commits.txt`);
    writeWholeFile(file, [...map].map(([from, to]) => `${from} ${to}\n`).join(''));
    return file;
  }
}
