import { isMlvError } from '../core/errors.js';
import { isMapping } from '../core/mapping.js';
import { parentOf, type RepositoryPath } from '../workspace/paths.js';
import { workingDirectory } from './dvc-file.js';
import { entriesOf } from './dvc-stage-outputs.js';
import { repositoryPath } from './foreign-path.js';

/** A stage as our `mlv.yaml` has it; paths are from the top of the repository. */
export interface MappedStage {
  desc?: string;
  cmd: string;
  deps?: string[];
  params?: string[];
  outs?: string[];
  metrics?: string[];
}

/** What became of a stage of DVC. */
export interface StageResult {
  /** The name that it gets. */
  name: string;
  /** Undefined where it cannot mean the same in `mlv.yaml`. */
  stage: MappedStage | undefined;
  /** What has no place there, or why the whole has none. */
  left: string[];
}

/** What has no place in our stages and changes what they do: such a stage is left as a whole. */
const WHOLE = ['foreach', 'matrix', 'vars', 'frozen', 'always_changed'];
const STAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** Raised in here alone: why a stage is left. */
class NotMapped extends Error {}

/** Maps a stage of a `dvc.yaml`. What cannot mean the same is left, with the reason; never raises an error. */
export function mapStage(value: unknown, { name, file }: { name: string; file: RepositoryPath }): StageResult {
  const prefix = parentOf(file).replaceAll('/', '.');
  const ours = prefix === '' ? name : `${prefix}.${name}`;
  try {
    return { name: ours, ...mapped(value, { name: ours, file }) };
  } catch (error) {
    if (!(error instanceof NotMapped) && !isMlvError(error, 'FOREIGN_INVALID')) throw error;
    return { name: ours, stage: undefined, left: [`left as a whole: ${error.message}`] };
  }
}

function mapped(value: unknown, { name, file }: { name: string; file: RepositoryPath }): Omit<StageResult, 'name'> {
  if (!isMapping(value)) throw new NotMapped('it is not a mapping');
  if (!STAGE_NAME.test(name)) throw new NotMapped(`'${name}' cannot be the name of a stage`);
  const whole = WHOLE.filter((key) => value[key] !== undefined && value[key] !== false);
  if (whole.length > 0) throw new NotMapped(whole.join(', '));
  if (JSON.stringify(value).includes('${')) throw new NotMapped('it is a template of DVC');
  const directory = workingDirectory(value.wdir, { file, directory: parentOf(file) });
  const at = (path: string): string => repositoryPath({ file, directory, path });
  const outs = [...entriesOf(value.outs), ...entriesOf(value.plots)];
  const metrics = entriesOf(value.metrics);
  const inGit = entriesOf(value.outs).find(({ cache }) => !cache);
  if (inGit) throw new NotMapped(`its output ${inGit.path} is left to Git (cache: false)`);
  const stage: MappedStage = {
    ...(typeof value.desc === 'string' && { desc: value.desc }),
    cmd: commandOf(value.cmd, directory),
    ...list('deps', dependencies(value.deps).map(at)),
    ...list('params', paramsOf(value.params, at)),
    ...list(
      'outs',
      outs.filter(({ cache }) => cache).map(({ path }) => at(path)),
    ),
    ...list(
      'metrics',
      metrics.map(({ path }) => at(path)),
    ),
  };
  return { stage, left: leftOf(value) };
}

function list<K extends string>(key: K, values: string[]): { [key in K]?: string[] } {
  return (values.length > 0 ? { [key]: values } : {}) as { [key in K]?: string[] };
}

function commandOf(cmd: unknown, directory: RepositoryPath): string {
  const lines = Array.isArray(cmd) ? cmd : [cmd];
  if (lines.length === 0 || !lines.every((line) => typeof line === 'string' && line.trim() !== '')) {
    throw new NotMapped('it has no cmd that can be read');
  }
  const command = lines.length === 1 ? String(lines[0]) : lines.map(grouped).join(' && ');
  return directory === '' ? command : `cd '${directory.replaceAll("'", "'\\''")}' || exit\n${command}`;
}

/** DVC runs the lines of a list one after another and stops at the first that fails. */
function grouped(line: string): string {
  return /[#\n;|&]/.test(line) ? `{ ${line.trimEnd()}\n}` : line;
}

function dependencies(deps: unknown): string[] {
  if (deps === undefined || deps === null) return [];
  if (!Array.isArray(deps)) throw new NotMapped('its deps are not a list');
  return deps.map((each: unknown) => {
    if (typeof each !== 'string') throw new NotMapped('a dependency is not a path');
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(each)) throw new NotMapped(`its dependency ${each} is not in the repository`);
    return each;
  });
}

function paramsOf(params: unknown, at: (path: string) => string): string[] {
  if (params === undefined || params === null) return [];
  if (!Array.isArray(params)) throw new NotMapped('its params are not a list');
  const byFile = new Map<string, string[]>();
  const add = (file: string, keys: readonly string[]): void => {
    const bad = keys.find((key) => /[,:/\\]/.test(key) || key === '');
    if (bad !== undefined) throw new NotMapped(`the parameter '${bad}' has a name that cannot be written`);
    byFile.set(file, [...(byFile.get(file) ?? []), ...keys]);
  };
  const whole = new Set<string>();
  for (const each of params as unknown[]) {
    if (typeof each === 'string') add(at('params.yaml'), [each]);
    else if (isMapping(each)) {
      for (const [file, keys] of Object.entries(each)) {
        const names = Array.isArray(keys) ? keys.map(String) : [];
        add(at(file), names);
        if (names.length === 0) whole.add(at(file));
      }
    } else throw new NotMapped('a parameter is not a name');
  }
  return [...byFile].map(([file, keys]) => (whole.has(file) ? file : `${file}:${[...new Set(keys)].join(',')}`));
}

/** What is said of outputs, and beside them, and does not change what the stage makes. */
function leftOf(value: Record<string, unknown>): string[] {
  const left: string[] = [];
  if (value.meta !== undefined) left.push('meta');
  for (const { path, cache, flags } of entriesOf(value.plots)) {
    const drawn = Object.keys(flags).filter((key) => !['cache', 'persist', 'desc'].includes(key));
    if (!cache) left.push(`plots: ${path}, which is left to Git`);
    else left.push(`plots: ${path} is an output now${drawn.length > 0 ? `, without ${drawn.join(', ')}` : ''}`);
  }
  for (const { path, flags } of [...entriesOf(value.outs), ...entriesOf(value.metrics)]) {
    const keys = Object.keys(flags).filter((key) => key !== 'cache');
    if (keys.length > 0) left.push(`${path}: ${keys.join(', ')}`);
  }
  return left;
}
