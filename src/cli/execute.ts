import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { MlvError } from '../core/errors.js';
import { openGit } from '../git/open.js';
import { toMlvError } from './errors.js';
import { watchInterrupts } from './interrupt.js';
import { presentErrors, presentResult, type Streams } from './present.js';
import { type ProgressReporter, progressReporter } from './progress.js';
import { colourStyle, plainStyle, wantsColour } from './render/style.js';
import type { GitSearch, Globals, Session } from './session.js';
import type { VerbDeclaration, VerbInput } from './verb.js';

/** A verb that the user called, with what it was given. */
export interface Call {
  declaration: VerbDeclaration;
  globals: Globals;
  input: VerbInput;
}

/** Loads and runs a verb, prints what came of it, and gives the exit code. */
export async function execute({ declaration, globals, input }: Call, streams: Streams): Promise<number> {
  const reporter = makeReporter(globals);
  const interrupts = watchInterrupts(declaration.careful ?? false, (ending) => {
    reporter.clear();
    const more = ending ? '' : ', bringing this step to an end (once more: stop at once)';
    process.stderr.write(`mlv: interrupted${more}\n`);
  });
  const to = { ...streams, ...globals };
  const endings: (() => void)[] = [];
  try {
    const { signal, divert: divertSignals } = interrupts;
    const session = await openSession({
      ...{ globals, reporter, signal, divertSignals, output: streams.out },
      atEnd: (action) => void endings.push(action),
    });
    const search = declaration.inRepository ? searchGit(session) : undefined;
    const verb = await declaration.load?.();
    const result = (await verb?.run({ ...session, ...(search && { search }) }, input)) ?? {};
    reporter.close();
    return await presentResult(result, to);
  } catch (error) {
    reporter.close();
    return await presentErrors([toMlvError(error, interrupts.signal)], to);
  } finally {
    for (const ending of endings) ending();
    interrupts.dispose();
  }
}

function makeReporter(globals: Globals): ProgressReporter {
  const silent = globals.json || globals.quiet || !globals.progress;
  const terminal = process.stderr.isTTY && process.env.TERM !== 'dumb';
  return progressReporter({
    write: (text) => void process.stderr.write(text),
    mode: silent ? 'off' : terminal ? 'screen' : 'plain',
    notes: !globals.json && !globals.quiet,
    screen: () => ({ columns: process.stderr.columns || 80, rows: process.stderr.rows || 24 }),
  });
}

async function openSession(
  given: Pick<Session, 'globals' | 'reporter' | 'signal' | 'divertSignals' | 'output' | 'atEnd'>,
): Promise<Session> {
  const { color, directories } = given.globals;
  const cwd = directories.reduce(enter, process.cwd());
  const colours = wantsColour({ isTTY: process.stdout.isTTY ?? false, env: process.env, color });
  return { ...given, cwd, env: process.env, home: homedir(), style: colours ? await colourStyle() : plainStyle };
}

/** Git answers while the verb is loaded. What it refuses is told where the repository is opened. */
function searchGit({ cwd, env }: Session): GitSearch {
  const git = openGit(cwd, { env });
  git.catch(() => undefined);
  return { cwd, env, git };
}

function enter(from: string, directory: string): string {
  const path = resolve(from, directory);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new MlvError('PATH_NOT_FOUND', `cannot change to '${directory}': it is not a directory`, { data: { path } });
}
