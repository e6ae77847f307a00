import { MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import type { NewFile } from '../git/rewriting.js';
import { childOf, isWithin, nameOf, parentOf, type RepositoryPath } from '../workspace/paths.js';
import type { Pointer } from '../workspace/pointer-format.js';
import type { DvcOutput } from './dvc-output.js';
import type { DvcReader, DvcReading, FoundOutput } from './dvc-reading.js';
import type { MappedStage } from './dvc-stage.js';
import { ignoredBeside, textFile } from './ignore-lines.js';
import { pointerText } from './pointer-text.js';
import { type ProjectAdditions, withAdditions } from './project-text.js';
import type { Overlay } from './rewrite-commits.js';
import type { State } from './rewrite-state.js';

/** What the conversion of a state needs besides what DVC's files say. */
export interface DvcConversionOptions {
  reader: DvcReader;
  /** Text of a blob. */
  text: (blob: string) => string | undefined;
  /** Our pointer for an output; undefined where its content could not be had. */
  pointerOf: (output: DvcOutput) => Pointer | undefined;
  /** Of an output without one: where something with the name of a content of it is damaged. */
  damagedAt: (output: DvcOutput) => string | undefined;
  project: ProjectAdditions['project'];
  /** An `mlv.yaml` that is in the working tree and in no commit: what a new one begins with. */
  projectText: string | undefined;
  home: string;
}

/** A pointer that took the place of one of DVC. */
export interface ConvertedOutput extends FoundOutput {
  pointer: Pointer;
}

/** What became of a commit. */
export interface DvcConverted {
  overlay: Overlay;
  converted: ConvertedOutput[];
  /** Files of DVC that stay as they are, each with the reason. */
  kept: { file: RepositoryPath; error: MlvError }[];
  remotes: Map<string, string>;
  stages: Map<string, MappedStage>;
}

/**
 * The files of a commit with mlv in the place of DVC: pointers for outputs, `.gitignore` and `.mlvignore`, stages and
 * remotes in `mlv.yaml`. A file of DVC that names a content which could not be had stays, and DVC's configuration with it.
 */
export function convertDvc(state: State, options: DvcConversionOptions): DvcConverted {
  const reading = options.reader.read(state);
  const overlay = new Map<RepositoryPath, NewFile>(state);
  const result: DvcConverted = {
    overlay,
    converted: [],
    kept: [...reading.unreadable],
    remotes: new Map(),
    stages: new Map(),
  };
  if (reading.roots.length === 0) return result;
  placePointers(state, { reading, result, options });
  const keptFiles = new Set(result.kept.map(({ file }) => file));
  for (const { file } of reading.outputs) if (!keptFiles.has(file) && nameOf(file) !== 'dvc.lock') overlay.delete(file);
  for (const path of state.keys()) {
    const isLock = nameOf(path) === 'dvc.lock' && reading.roots.some((root) => isWithin(path, root));
    if (isLock && !keptFiles.has(path)) overlay.delete(path);
  }
  for (const [path, pipeline] of reading.pipelines) {
    if (keptFiles.has(childOf(parentOf(path), 'dvc.lock'))) continue;
    for (const [name, stage] of pipeline.stages) result.stages.set(name, stage);
    if (pipeline.rest === undefined) overlay.delete(path);
    else if (pipeline.stages.size > 0) overlay.set(path, textFile(pipeline.rest));
  }
  const ended = reading.roots.filter((root) => ![...keptFiles].some((file) => isWithin(file, root)));
  for (const root of ended) endDvc(state, root, { overlay, text: options.text });
  const ignored = [...result.converted.map(({ output }) => output.path), ...ended.map((root) => childOf(root, '.dvc'))];
  const before = (file: RepositoryPath): string | undefined => textOf(state, file, options.text);
  for (const [file, text] of ignoredBeside(ignored, before)) overlay.set(file, textFile(text));
  if (result.converted.length === 0 && result.stages.size === 0) return result;
  for (const { settings } of reading.remotes) for (const [key, value] of settings) result.remotes.set(key, value);
  const additions = { ...options, settings: result.remotes, stages: result.stages };
  const project = before('mlv.yaml');
  const text = withAdditions(project ?? options.projectText, additions);
  if (text !== project) overlay.set('mlv.yaml', textFile(text));
  return result;
}

function placePointers(
  state: State,
  { reading, result, options }: { reading: DvcReading; result: DvcConverted; options: DvcConversionOptions },
): void {
  const overlay = result.overlay as Map<RepositoryPath, NewFile>;
  for (const found of reading.outputs) {
    const { output, file } = found;
    const pointer = options.pointerOf(output);
    const path = `${output.path}.mlv`;
    if (!pointer) result.kept.push({ file, error: missingContent(output, file, options.damagedAt(output)) });
    else if (state.has(path)) result.kept.push({ file, error: alreadyTracked(output, file) });
    else {
      const { desc, labels, source } = output;
      overlay.set(
        path,
        textFile(pointerText(pointer, { ...(desc && { desc }), ...(labels && { labels }), ...(source && { source }) })),
      );
      result.converted.push({ ...found, pointer });
    }
  }
}

/** Takes away what only DVC reads; its directory stays in the working tree, where Git ignores it as a whole. */
function endDvc(
  state: State,
  root: RepositoryPath,
  { overlay, text }: { overlay: Overlay; text: (blob: string) => string | undefined },
): void {
  const files = overlay as Map<RepositoryPath, NewFile>;
  for (const path of state.keys()) {
    if (!isWithin(path, root)) continue;
    if (isWithin(path, childOf(root, '.dvc'))) files.delete(path);
    if (nameOf(path) !== '.dvcignore') continue;
    files.delete(path);
    const rules = (textOf(state, path, text) ?? '').replace(/\r\n/g, '\n');
    if (!/^[^#\s]/m.test(rules)) continue;
    const target = childOf(parentOf(path), '.mlvignore');
    const there = textOf(state, target, text) ?? '';
    if (there.includes(rules)) continue;
    files.set(target, textFile(`${there}${there === '' || there.endsWith('\n') ? '' : '\n'}${rules}`));
  }
}

function textOf(state: State, path: RepositoryPath, text: (blob: string) => string | undefined): string | undefined {
  const file = state.get(path);
  return file && text(file.blob);
}

function missingContent(output: DvcOutput, file: RepositoryPath, damagedAt: string | undefined): MlvError {
  const name = `${output.id.hex}${output.directory ? '.dir' : ''}`;
  if (damagedAt !== undefined) {
    return new MlvError(
      'OBJECT_CORRUPT',
      `the content of '${output.path}' (${name}, or a file in it) is damaged: ${damagedAt} has other bytes than its name says`,
      {
        hint: `put it right there, or take it away there and bring it anew: dvc pull ${inShellQuotes(file)}`,
        data: { path: output.path, file, md5: name, damaged: damagedAt },
      },
    );
  }
  return new MlvError(
    'OBJECT_MISSING',
    `the content of '${output.path}' (${name}, or a file in it) is neither in the workspace, nor in DVC's cache, nor on its remote`,
    { hint: `bring it here: dvc pull ${inShellQuotes(file)}`, data: { path: output.path, file, md5: name } },
  );
}

function alreadyTracked(output: DvcOutput, file: RepositoryPath): MlvError {
  return new MlvError('TARGET_EXISTS', `'${output.path}' is tracked by mlv already, and by DVC in '${file}'`, {
    hint: `let one of them go: git rm ${inShellQuotes(file)}, or mlv rm --keep ${inShellQuotes(output.path)}`,
    data: { path: output.path, file },
  });
}
