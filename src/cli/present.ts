import { isMlvError, type MlvError } from '../core/errors.js';
import { errorDocument, errorLines, gravest, toMlvError } from './errors.js';
import type { Output } from './output.js';
import { jsonDocument } from './render/json.js';
import type { Globals } from './session.js';
import type { Result } from './verb.js';

/** The two streams of the process. */
export interface Streams {
  out: Output;
  err: Output;
}

/** Prints what a verb found or did and gives the exit code. Errors: those that a list in the result breaks off with. */
export async function presentResult(result: Result, to: Streams & Globals): Promise<number> {
  if (to.json) return presentDocument(result, to);
  const { text = [], terminator = '\n', done = [], notes = [], errors = [] } = result;
  await to.out.writeAll(terminated(text, terminator));
  if (!to.quiet) {
    await to.out.writeAll(terminated(done, '\n'));
    await to.err.writeAll(terminated(notes, '\n'));
  }
  return errors.length > 0 ? presentErrors(errors, to) : (result.exitCode ?? 0);
}

/** Prints errors, and gives the exit code of the gravest. With `json` that one is a document on standard output, too. */
export async function presentErrors(
  errors: readonly MlvError[],
  to: Streams & Pick<Globals, 'json' | 'debug'>,
): Promise<number> {
  const worst = gravest(errors);
  if (to.json && worst) await to.out.writeAll(jsonDocument({ error: errorDocument(worst) }, describe));
  await printErrors(errors, to);
  return worst?.exitCode ?? 0;
}

async function presentDocument({ json = {}, errors = [], exitCode }: Result, to: Streams & Globals): Promise<number> {
  const worst = gravest(errors);
  const document = { ...json, ...(worst && { error: errorDocument(worst) }) };
  try {
    await to.out.writeAll(jsonDocument(document, describe));
  } catch (error) {
    // The document has it already.
    const broken = toMlvError(error);
    await printErrors([broken], to);
    return broken.exitCode;
  }
  await printErrors(errors, to);
  return worst?.exitCode ?? exitCode ?? 0;
}

async function printErrors(errors: readonly MlvError[], { err, debug }: Streams & { debug: boolean }): Promise<void> {
  for (const error of errors) {
    // The listener of the signal has said so.
    if (isMlvError(error, 'INTERRUPTED') && !debug) continue;
    await err.writeAll(terminated(errorLines(error, { debug }), '\n'));
  }
}

function describe(error: unknown): ReturnType<typeof errorDocument> {
  return errorDocument(toMlvError(error));
}

function* terminated(lines: Iterable<string>, end: string): Generator<string> {
  for (const line of lines) yield line + end;
}
