import type { Command } from 'commander';
import type { MlvError } from '../core/errors.js';
import type { Session } from './session.js';

/** Value of an option: text where it takes one, texts where it may be repeated, `true` for a flag, else `undefined`. */
export type OptionValue = string | readonly string[] | boolean | undefined;

/** The text of an option, or undefined where it was not given or without a text. */
export function textOption(value: OptionValue): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** True where the options of a transfer name commits, instead of what is checked out. */
export function namesCommits({ rev, allBranches, allTags, allCommits }: VerbInput['options']): boolean {
  return rev !== undefined || [allBranches, allTags, allCommits].includes(true);
}

/** The texts of an option that may be repeated; none where it was not given or without a text. */
export function textsOption(value: OptionValue): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' ? value : [];
}

/** What the user typed for one verb. */
export interface VerbInput {
  /** Operands in their order, options taken out. */
  args: readonly string[];
  /** Options of the verb by their long name in camel case. */
  options: Readonly<Record<string, OptionValue>>;
  /** How many of the operands stood behind `--`; undefined where there was none. */
  afterSeparator: number | undefined;
  /** Makes the declarations of the whole program, for what describes it. */
  program: () => Command;
}

/** What a verb found or did; the runner prints it as text or as one JSON document. */
export interface Result {
  /** Data for people, line by line, on standard output. Anything iterable by name in `json` is streamed, too. */
  text?: Iterable<string>;
  /** What ends each line of `text`; a newline by default. */
  terminator?: string;
  /** What was done, on standard output; left out with `--quiet`. */
  done?: readonly string[];
  /** The document that `--json` prints. Generators in it are written as arrays, item by item. */
  json?: Record<string, unknown>;
  /** What to do next, on standard error; left out with `--quiet` and `--json`. */
  notes?: readonly string[];
  /** What failed; the gravest decides the exit code. */
  errors?: readonly MlvError[];
  /** Where there are no errors; 0 by default. */
  exitCode?: number;
}

/** A file of src/cli/verbs, which is loaded when its verb is called. */
export interface VerbModule {
  run(session: Session, input: VerbInput): Promise<Result> | Result;
}

/** One verb as the command line declares it. */
export interface VerbDeclaration {
  /** The verb, with its operands in commander's notation: `add <path...>`. */
  usage: string;
  /** One line without a full stop. */
  summary: string;
  /** Further paragraphs of its help. */
  description?: string;
  options?: readonly OptionDeclaration[];
  /** A command each with what it is for. */
  examples?: readonly (readonly [command: string, purpose: string])[];
  /** Exit codes other than 0, 1 and 2, with what they mean here. */
  exits?: readonly (readonly [code: number, meaning: string])[];
  /** True for a verb that other programs call; left out of the list in the help. */
  hidden?: boolean;
  /** True for a verb that changes files: Ctrl-C lets it finish its step, a second one ends it at once. */
  careful?: boolean;
  /** True for a verb that always opens the repository: Git is asked for it before the verb's file is there. */
  inRepository?: boolean;
  /** Imports the verb's file; absent for a verb that only has verbs of its own. */
  load?: () => Promise<VerbModule>;
  verbs?: readonly VerbDeclaration[];
}

/** One option of a verb. */
export interface OptionDeclaration {
  /** In commander's notation: `-r, --recursive` or `--hash <algorithm>`. */
  flags: string;
  description: string;
  choices?: readonly string[];
  /** True for an option that may be given more than once. */
  many?: boolean;
}
