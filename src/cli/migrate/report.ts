import { join } from 'node:path';
import { PROJECT_FILE } from '../../config/levels.js';
import type { MlvError } from '../../core/errors.js';
import { pointerPathOf } from '../../workspace/pointers.js';
import { OWN_FILE_LIMIT, readWholeTextFile } from '../../workspace/text-file.js';
import type { OpenRepository } from '../context.js';
import { errorDocument } from '../errors.js';
import { quotePath } from '../render/quote.js';
import { formatBytes, formatCount } from '../render/units.js';
import { type Result, textOption, type VerbInput } from '../verb.js';
import type { MigrationOptions, MigrationOutcome, TakenFrom } from './migration.js';

/** The text of an `mlv.yaml` of the working tree; undefined where there is none. */
export function projectTextOf({ layout }: OpenRepository): string | undefined {
  const found = readWholeTextFile(join(layout.worktree, PROJECT_FILE), OWN_FILE_LIMIT);
  return found && 'text' in found ? found.text : undefined;
}

/** Options that every migration takes. */
export function migrationOptions({ options }: VerbInput, tool: { name: string; title: string }): MigrationOptions {
  return {
    history: options.history === true,
    replace: options.replace === true,
    commit: options.commit !== false,
    dryRun: options.dryRun === true,
    keepGoing: options.keepGoing === true,
    message: `${textOption(options.message) ?? `Migrate from ${tool.title} to mlv`}\n`,
    tool: tool.name,
  };
}

/** What a migration tells beyond what all do. */
export interface MigrationFacts {
  title: string;
  taken: TakenFrom;
  /** Name of the remote, or address of the server, that was asked. */
  remote: string | undefined;
  /** What has no place in mlv, in words. */
  left: readonly string[];
  /** What stays of the other tool, and how it goes. */
  leftovers: string;
}

const SHOWN = 20;

/** What a migration did, as text and as a document. */
export function migrationResult(outcome: MigrationOutcome, options: MigrationOptions, facts: MigrationFacts): Result {
  const errors = [...outcome.kept.map(({ error }) => error), ...outcome.refusals];
  const stopped = errors.length > 0 && !options.keepGoing && !options.history && !options.dryRun;
  return {
    done: stopped ? [] : doneLines(outcome, options, facts),
    notes: stopped
      ? ['Nothing was changed. To leave such files as they are and migrate the others: --keep-going']
      : nextSteps(outcome, options, facts),
    json: documentOf(outcome, options, facts),
    errors: distinct(errors),
  };
}

/** A thousand old commits may lack the same content. */
function distinct(errors: readonly MlvError[]): MlvError[] {
  return [...new Map(errors.map((error) => [error.message, error])).values()];
}

function doneLines(outcome: MigrationOutcome, options: MigrationOptions, facts: MigrationFacts): string[] {
  const { pointers, rewritten, proof, commit, staged, filled } = outcome;
  const { taken } = facts;
  const size = pointers.reduce((sum, { pointer }) => sum + pointer.size, 0);
  const files = pointers.reduce((sum, { pointer }) => sum + (pointer.files ?? 1), 0);
  const all = `${formatCount(pointers.length, 'pointer')} for ${formatCount(files, 'file')}, ${formatBytes(size)}`;
  if (pointers.length === 0 && taken.files === 0) return [`nothing of ${facts.title} is left to migrate`];
  const lines: string[] = [];
  for (const { path, pointer, file } of pointers.slice(0, SHOWN)) {
    lines.push(`${quotePath(file)} -> ${quotePath(pointerPathOf(path))}  ${formatBytes(pointer.size)}`);
  }
  if (pointers.length > SHOWN) lines.push(`… and ${pointers.length - SHOWN} more`);
  const from = [
    taken.here > 0 ? `${taken.here} here` : '',
    taken.remote > 0 ? `${taken.remote} on ${facts.remote ?? 'the remote'}` : '',
    taken.missing > 0 ? `${taken.missing} nowhere` : '',
  ].filter(Boolean);
  lines.push(`${options.dryRun ? 'would write' : 'wrote'} ${all}; contents: ${from.join(', ') || 'none'}`);
  if (proof) {
    lines.push(
      `proved: ${formatCount(proof.files, 'file')} ${proof.files === 1 ? 'has' : 'have'} the bytes of before (${formatBytes(proof.bytes)} read)`,
    );
  }
  if (commit) lines.push(`committed as ${commit.slice(0, 12)}`);
  if (staged) lines.push('staged; nothing was committed');
  if (filled > 0) lines.push(`${formatCount(filled, 'file')} of the workspace became content of its own`);
  if (rewritten && !options.dryRun) {
    lines.push(
      `rewrote ${rewritten.changed} of ${formatCount(rewritten.commits, 'commit')}; old and new: ${quotePath(rewritten.map)}`,
    );
    for (const { name, to } of rewritten.refs) lines.push(`  ${name} -> ${to.slice(0, 12)}`);
  } else if (rewritten) lines.push(`would rewrite a history of ${formatCount(rewritten.commits, 'commit')}`);
  return lines;
}

function nextSteps(outcome: MigrationOutcome, options: MigrationOptions, facts: MigrationFacts): string[] {
  const notes: string[] = [];
  if (facts.left.length > 0) {
    notes.push('What has no place in mlv:', ...facts.left.slice(0, SHOWN).map((each) => `  ${quotePath(each)}`));
    if (facts.left.length > SHOWN) notes.push(`  … and ${facts.left.length - SHOWN} more (--json lists all)`);
  }
  if (options.dryRun || (outcome.pointers.length === 0 && !outcome.rewritten)) return notes;
  if (outcome.staged) notes.push('To record it in Git:', '  git commit');
  if (outcome.rewritten && !options.replace) {
    notes.push('Your branches and tags are as they were; look at the new ones: git log migrated/<branch>');
  }
  return [...notes, `Next: ${pushCommand(outcome, options)}   (${facts.leftovers})`];
}

/** A history has contents that the current branch does not name; new branches beside the old ones are not even checked out. */
function pushCommand({ rewritten }: MigrationOutcome, { replace }: MigrationOptions): string {
  if (!rewritten) return 'mlv push';
  const push = 'mlv push --all-commits';
  return replace ? push : `git switch migrated/<branch> && ${push}`;
}

function documentOf(
  outcome: MigrationOutcome,
  options: MigrationOptions,
  facts: MigrationFacts,
): Record<string, unknown> {
  const { pointers, kept, commit, staged, rewritten, proof, filled } = outcome;
  return {
    dryRun: options.dryRun,
    pointers: pointers.map(({ path, file, pointer }) => ({
      path,
      pointer: pointerPathOf(path),
      from: file,
      ...(options.dryRun ? {} : { oid: pointer.oid }),
      size: pointer.size,
      ...(pointer.files !== undefined && { files: pointer.files }),
    })),
    contents: facts.taken,
    ...(facts.remote !== undefined && { remote: facts.remote }),
    kept: kept.map(({ file, error, commit: at }) => ({
      path: file,
      ...(at !== undefined && { commit: at }),
      error: errorDocument(error),
    })),
    left: facts.left,
    ...(proof && { proof }),
    ...(commit !== undefined && { commit }),
    staged,
    filled,
    ...(options.dryRun && { refusals: outcome.refusals.map(errorDocument) }),
    ...(rewritten && { history: rewritten }),
  };
}
