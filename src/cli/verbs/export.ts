import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileSystemError, MlvError } from '../../core/errors.js';
import type { ExportFacts } from '../../interop/facts.js';
import type { Oid } from '../../objects/oid.js';
import { modelCard } from '../../registry/card.js';
import { sha256Of } from '../../registry/digest.js';
import { writeWholeFile } from '../../workspace/write-whole-file.js';
import { openRepository } from '../context.js';
import { collectExport, type Exported } from '../export-facts.js';
import { quotePath } from '../render/quote.js';
import { formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** The formats that are one JSON document, with the name of its file in a directory. */
const DOCUMENTS: Record<string, { file: string; make: () => Promise<(facts: ExportFacts) => unknown> }> = {
  'in-toto': { file: 'in-toto.json', make: async () => (await import('../../interop/in-toto.js')).inTotoStatement },
  slsa: { file: 'slsa-provenance.json', make: async () => (await import('../../interop/slsa.js')).slsaProvenance },
  cyclonedx: { file: 'bom.cdx.json', make: async () => (await import('../../interop/cyclonedx.js')).cyclonedxBom },
  spdx: { file: 'sbom.spdx.json', make: async () => (await import('../../interop/spdx.js')).spdxDocument },
  'ro-crate': { file: 'ro-crate-metadata.json', make: async () => (await import('../../interop/ro-crate.js')).roCrate },
};
const CONTROL = /[\u0000-\u0008\u000b-\u001f]/g;
/** What JSON leaves as it is and a terminal would act on. */
const HIDDEN = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** `mlv export`: see its declaration. Errors: those of collectExport, `TARGET_EXISTS`, `USAGE`, `FILE_SYSTEM`. */
export async function run(session: Session, { args: [operand = ''], options }: VerbInput): Promise<Result> {
  const format = textOption(options.format);
  if (format === undefined) {
    throw new MlvError('USAGE', 'which format is not said', {
      hint: `for example: mlv export ${operand} --format slsa`,
    });
  }
  const output = textOption(options.output);
  const exported = await collectExport(session, operand);
  if (format === 'mlflow') return mlflow(session, exported, output);
  const { file, text } = await documentOf(exported, format);
  const { reference } = exported.facts;
  const json = { reference, format, digest: sha256Of(text) };
  const { notes } = exported;
  if (output === undefined)
    return { text: [text.trimEnd()], json: { ...json, document: contentOf(text, format) }, notes };
  const path = fileAt(resolve(session.cwd, output), file);
  if (existsSync(path) && options.force !== true) throw isThere(path, '--force overwrites it');
  writeWholeFile(path, text);
  return { done: [`wrote ${format} of ${reference} to ${quotePath(output)}`], json: { ...json, output }, notes };
}

async function documentOf({ facts, card }: Exported, format: string): Promise<{ file: string; text: string }> {
  const known = DOCUMENTS[format];
  if (known) {
    const document = (await known.make())(facts);
    return { file: known.file, text: `${JSON.stringify(document, undefined, 2).replace(HIDDEN, escaped)}\n` };
  }
  if (!card) {
    throw new MlvError('USAGE', 'a model card is made of a version of a model, and this is a tracked path', {
      hint: 'register it first: mlv register <model> <path>',
    });
  }
  return {
    file: 'README.md',
    text: modelCard(card, { task: 'other', tags: ['mlv'] })
      .replace(HIDDEN, '\ufffd')
      .replace(CONTROL, '\ufffd'),
  };
}

function contentOf(text: string, format: string): unknown {
  return DOCUMENTS[format] ? JSON.parse(text) : text;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function fileAt(path: string, file: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, file) : path;
}

/** A directory as MLflow's file store has it, written beside its place and renamed when it is whole. */
async function mlflow(session: Session, { facts, notes }: Exported, output: string | undefined): Promise<Result> {
  if (output === undefined) {
    throw new MlvError('USAGE', 'mlflow is a directory, and where it is to be is not said', {
      hint: `mlv export ${facts.reference} --format mlflow --output <directory>`,
    });
  }
  const directory = resolve(session.cwd, output);
  if (existsSync(directory)) throw isThere(directory, 'choose another directory');
  const [{ mlflowLayout }, { placeContent }] = await Promise.all([
    import('../../interop/mlflow-layout.js'),
    import('../../interop/place-content.js'),
  ]);
  const layout = mlflowLayout(facts);
  const { cache } = await openRepository(session);
  const temporary = await besides(directory);
  try {
    for (const [path, text] of layout.files) writeText(join(temporary, path), text);
    for (const { path, oid, size = 0, files } of facts.artifacts) {
      const content = { oid: oid as Oid, size, directory: files !== undefined };
      await placeContent(cache, content, { path: join(temporary, layout.model, path), signal: session.signal });
    }
    if (existsSync(directory)) throw isThere(directory, 'choose another directory');
    renameSync(temporary, directory);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw fileSystemError('write', directory, error);
  }
  const artifacts = facts.artifacts.length;
  return {
    done: [
      `wrote ${facts.reference} as a run of MLflow, with ${formatCount(artifacts, 'artifact')}, to ${quotePath(output)}`,
    ],
    json: { reference: facts.reference, format: 'mlflow', output, experiment: layout.experimentId, run: layout.runId },
    notes: [
      ...notes,
      `MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri ./mlruns   (in ${quotePath(output)})`,
    ],
  };
}

/** A folder beside the directory; what an export left there that was killed is taken away. */
async function besides(directory: string): Promise<string> {
  const { removeStaleTemporaries, temporaryBeside } = await import('../../workspace/workspace-temporary.js');
  try {
    mkdirSync(dirname(directory), { recursive: true });
    removeStaleTemporaries(dirname(directory));
    const temporary = temporaryBeside(directory);
    mkdirSync(temporary);
    return temporary;
  } catch (error) {
    throw fileSystemError('create', directory, error);
  }
}

function writeText(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function isThere(path: string, hint: string): MlvError {
  return new MlvError('TARGET_EXISTS', `'${path}' is there already`, { hint, data: { path } });
}
