import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { EXIT, isMlvError, MlvError } from '../../core/errors.js';
import { parseTolerances } from '../../provenance/tolerance.js';
import { resolveReference, versionName, viewsInTime } from '../../registry/reference-resolve.js';
import { recordReproduction } from '../../registry/reproduced.js';
import { openRegistryHere } from '../open-registry.js';
import { type OpenProposer, openProposer, proposed } from '../propose.js';
import { escapeControls, quotePath } from '../render/quote.js';
import { reproductionLines } from '../render/reproduction.js';
import { type Reproduction, type ReproductionRequest, reproduceVersion } from '../reproduce-version.js';
import type { Session } from '../session.js';
import { withTemporaryTree } from '../temporary-tree.js';
import { type Result, textOption, textsOption, type VerbInput } from '../verb.js';

/** `mlv reproduce`: see its declaration. Errors: those of references and reproduceVersion, `TARGET_EXISTS`. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { args, options } = input;
  const tolerances = parseTolerances(textsOption(options.tolerance));
  // Asked before, so that an hour's work is not lost for want of a name.
  const opened = options.record === false ? undefined : await openProposer(session, input);
  const open = opened?.open ?? (await openRegistryHere(session));
  const view = await open.registry.viewOrFetch();
  const { version } = await resolveReference(view, args[0] ?? '', { viewAtTime: viewsInTime(open.registry) });
  const name = versionName(version);
  const manifest = await view.manifest(version.model, version.version);
  const restored = { open, view, version };
  const environment = options.env === true ? options : undefined;
  const request = { restored, manifest, tolerances, environment, all: options.all === true };
  const { reproduction, kept } = await reproduceSomewhere(session, request, input);
  const event = opened && (await recorded(session, { opened, input, name, reproduction }));
  const { verdict, found: _lines, notes, ...rest } = reproduction;
  return {
    text: reproductionLines(name, reproduction, session.style),
    done: event?.done ?? [],
    notes: [...notes.map((note) => escapeControls(note)), ...keptNotes(kept)],
    json: {
      version: name,
      verdict,
      ...rest,
      directory: kept ?? null,
      notes,
      recorded: (event?.json?.event ?? null) !== null,
      commit: event?.json?.commit ?? null,
      pushed: event?.json?.pushed ?? false,
    },
    errors: event?.errors ?? [],
    ...(verdict === 'different' && { exitCode: EXIT.differences }),
  };
}

interface Somewhere {
  reproduction: Reproduction;
  /** The directory, where it stays. */
  kept?: string;
}

async function reproduceSomewhere(
  session: Session,
  request: Omit<ReproductionRequest, 'directory'>,
  { options }: VerbInput,
): Promise<Somewhere> {
  const { open, version } = request.restored;
  const to = textOption(options.to);
  if (to !== undefined) {
    const directory = resolve(session.cwd, to);
    if (existsSync(directory)) throw thereAlready(directory, versionName(version));
    return { reproduction: await reproduceVersion(session, { ...request, directory }), kept: directory };
  }
  return withTemporaryTree(open.git, version.model, async (directory, keep) => {
    const isKept = options.keep === true;
    if (isKept) keep();
    const reproduction = await reproduceVersion(session, { ...request, directory }).catch((error: unknown) => {
      if (isKept && existsSync(directory)) for (const note of keptNotes(directory)) session.reporter.note(note);
      throw error;
    });
    return { reproduction, ...(isKept && { kept: directory }) };
  });
}

async function recorded(
  session: Session,
  given: { opened: OpenProposer; input: VerbInput; name: string; reproduction: Reproduction },
): Promise<Result> {
  const { opened, name } = given;
  const { verdict, found } = given.reproduction;
  const reason = textOption(given.input.options.reason);
  try {
    return await proposed(session, opened, () =>
      recordReproduction(opened.proposer, { reference: name, verdict, found, reason }),
    );
  } catch (error) {
    // The verdict is worth more than the word that it could not be kept.
    if (!isMlvError(error) || error.code === 'INTERRUPTED') throw error;
    return { errors: [error] };
  }
}

function thereAlready(directory: string, name: string): MlvError {
  return new MlvError('TARGET_EXISTS', `'${directory}' is there already`, {
    hint: `choose another place: mlv reproduce ${name} --to <directory>`,
    data: { path: directory },
  });
}

function keptNotes(directory: string | undefined): string[] {
  if (directory === undefined) return [];
  const shown = quotePath(directory);
  return [`what came of it is in ${shown}`, `when it is no longer needed: git worktree remove --force ${shown}`];
}
