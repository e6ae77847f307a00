import type { Reporter } from '../core/reporter.js';
import type { Git } from '../git/git.js';
import type { Output } from './output.js';
import type { Style } from './render/style.js';

/** Options that every verb takes. */
export interface Globals {
  json: boolean;
  quiet: boolean;
  debug: boolean;
  /** False where the user asked for no colour. */
  color: boolean;
  /** False where the user asked for no progress. */
  progress: boolean;
  /** Directories of `-C`, each relative to the one before. */
  directories: readonly string[];
  /** Settings of `-c`, by dotted key. */
  settings: Readonly<Record<string, string>>;
}

/** A search for the repository of a directory. */
export interface GitSearch {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly git: Promise<Git>;
}

/** One run of the program: everything that a verb may use of the process. */
export interface Session {
  readonly globals: Globals;
  /** Absolute. */
  readonly cwd: string;
  /** The search for the repository of a directory, where it began before the verb was loaded: see openGitOf. */
  readonly search?: GitSearch;
  readonly env: NodeJS.ProcessEnv;
  /** The user's home directory. */
  readonly home: string;
  /** Aborted with an `INTERRUPTED` error on Ctrl-C. */
  readonly signal: AbortSignal;
  /**
   * Has signals go to the listener alone, in place of `signal`, while another program runs for the user. Gives the
   * function that ends this.
   */
  readonly divertSignals: (listener: (name: NodeJS.Signals) => void) => () => void;
  /** Has something done when the verb is over, whatever came of it. */
  readonly atEnd: (action: () => void) => void;
  readonly reporter: Reporter;
  /** Standard output, for the verbs that print bytes rather than a result. */
  readonly output: Output;
  /** Colours for text on standard output; plain where there must be none. */
  readonly style: Style;
}
