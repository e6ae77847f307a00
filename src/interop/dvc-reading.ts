import { isMlvError, type MlvError } from '../core/errors.js';
import { childOf, isWithin, nameOf, parentOf, type RepositoryPath } from '../workspace/paths.js';
import { parseDvcFile } from './dvc-file.js';
import { parseDvcLock } from './dvc-lock.js';
import type { DvcOutput } from './dvc-output.js';
import { type DvcPipeline, parseDvcPipeline } from './dvc-pipeline.js';
import { type MappedRemotes, mapDvcRemotes } from './dvc-project.js';
import { foreignInvalid } from './foreign-id.js';
import type { State } from './rewrite-state.js';

/** An output, and the file that names it. */
export interface FoundOutput {
  output: DvcOutput;
  /** The `.dvc` file or `dvc.lock`. */
  file: RepositoryPath;
}

/** A file of DVC that cannot be migrated, and stays. */
export interface Unreadable {
  file: RepositoryPath;
  error: MlvError;
}

/** What DVC says in one commit. */
export interface DvcReading {
  /** Directories that have a `.dvc` with a configuration. */
  roots: RepositoryPath[];
  outputs: FoundOutput[];
  pipelines: Map<RepositoryPath, DvcPipeline>;
  remotes: MappedRemotes[];
  unreadable: Unreadable[];
  /** What has no place in mlv, in words. */
  left: string[];
}

const CONFIG = '.dvc/config';

/** True for a file that a migration from DVC looks at. */
export function isDvcRelevant(path: RepositoryPath): boolean {
  const name = nameOf(path);
  if (name.endsWith('.dvc') || name.endsWith('.mlv')) return true;
  if (path.startsWith('.dvc/') || path.includes('/.dvc/')) return true;
  return ['dvc.yaml', 'dvc.lock', '.gitignore', '.dvcignore', '.mlvignore', 'mlv.yaml'].includes(name);
}

/** Reads files of DVC, each content once, however many commits have it. */
export class DvcReader {
  private readonly files = new Map<string, unknown>();
  private readonly readings = new WeakMap<State, DvcReading>();

  /** `text` gives the text of a blob, undefined where Git has none or it is too long. */
  constructor(private readonly text: (blob: string) => string | undefined) {}

  /** What DVC says in a state; what cannot be read is named and passed over. */
  read(state: State): DvcReading {
    const known = this.readings.get(state);
    if (known) return known;
    const reading = this.readNew(state);
    this.readings.set(state, reading);
    return reading;
  }

  private readNew(state: State): DvcReading {
    const roots = [...state.keys()].filter((path) => path === CONFIG || path.endsWith(`/${CONFIG}`));
    const reading: DvcReading = {
      roots: roots.map((path) => path.slice(0, -CONFIG.length).replace(/\/$/, '')),
      outputs: [],
      pipelines: new Map(),
      remotes: [],
      unreadable: [],
      left: [],
    };
    for (const path of roots) {
      const remotes = this.parsed(state, reading, { path, parse: (text) => mapDvcRemotes(text, path) });
      if (!remotes) continue;
      reading.remotes.push(remotes);
      reading.left.push(...remotes.left);
    }
    if (reading.roots.length === 0) return reading;
    const files = [...state.keys()].filter(
      (path) => isDvcFile(path) && reading.roots.some((root) => isWithin(path, root)),
    );
    for (const path of files.filter((each) => nameOf(each) === 'dvc.yaml')) {
      const pipeline = this.parsed(state, reading, { path, parse: (text) => parseDvcPipeline(text, path) });
      if (!pipeline) continue;
      reading.pipelines.set(path, pipeline);
      reading.left.push(...pipeline.left);
    }
    for (const path of files) this.readOutputs(state, path, reading);
    refuseOverlaps(reading);
    return reading;
  }

  private readOutputs(state: State, path: RepositoryPath, reading: DvcReading): void {
    const name = nameOf(path);
    if (name === 'dvc.yaml') return;
    if (name !== 'dvc.lock') {
      const file = this.parsed(state, reading, { path, parse: (text) => parseDvcFile(text, path) });
      for (const output of file?.outputs ?? []) reading.outputs.push({ output, file: path });
      reading.left.push(...(file?.left ?? []));
      return;
    }
    const pipelinePath = childOf(parentOf(path), 'dvc.yaml');
    const pipeline = reading.pipelines.get(pipelinePath);
    const stageOf = pipeline?.stageOf ?? (() => ({ directory: parentOf(path), keeps: () => true }));
    const beside = state.get(pipelinePath)?.blob ?? 'nothing';
    const outputs = this.parsed(state, reading, { path, parse: (text) => parseDvcLock(text, path, stageOf), beside });
    for (const output of outputs ?? []) reading.outputs.push({ output, file: path });
  }

  private parsed<T>(
    state: State,
    reading: DvcReading,
    { path, parse, beside = '' }: { path: RepositoryPath; parse: (text: string) => T; beside?: string },
  ): T | undefined {
    const blob = state.get(path)?.blob ?? '';
    const key = `${path}\0${blob}\0${beside}`;
    let result = this.files.get(key) as { value: T } | { error: MlvError } | undefined;
    if (!result) {
      result = this.attempt(path, blob, parse);
      this.files.set(key, result);
    }
    if ('value' in result) return result.value;
    reading.unreadable.push({ file: path, error: result.error });
    return undefined;
  }

  private attempt<T>(path: string, blob: string, parse: (text: string) => T): { value: T } | { error: MlvError } {
    const text = this.text(blob);
    if (text === undefined) return { error: foreignInvalid(path, 'is too long, or Git does not have its content') };
    try {
      return { value: parse(text) };
    } catch (error) {
      if (!isMlvError(error)) throw error;
      return { error };
    }
  }
}

/** True for a file of DVC that names outputs or stages. */
function isDvcFile(path: RepositoryPath): boolean {
  const name = nameOf(path);
  if (path.startsWith('.dvc/') || path.includes('/.dvc/')) return false;
  return (name.endsWith('.dvc') && name.length > '.dvc'.length) || name === 'dvc.yaml' || name === 'dvc.lock';
}

/** DVC refuses outputs inside one another, so that such a file is not its own. */
function refuseOverlaps(reading: DvcReading): void {
  const paths = new Map<RepositoryPath, RepositoryPath>();
  const kept: FoundOutput[] = [];
  const refuse = ({ file, output }: FoundOutput, other: string): void => {
    const error = foreignInvalid(file, `names '${output.path}', which '${other}' names too, or what lies around it`);
    reading.unreadable.push({ file, error });
  };
  for (const found of reading.outputs) {
    const other = paths.get(found.output.path);
    if (other === undefined) {
      paths.set(found.output.path, found.file);
      kept.push(found);
    } else refuse(found, other);
  }
  reading.outputs = kept.filter((found) => {
    for (let above = parentOf(found.output.path); above !== ''; above = parentOf(above)) {
      const other = paths.get(above);
      if (other === undefined) continue;
      refuse(found, other);
      return false;
    }
    return true;
  });
}
