import { join } from 'node:path';
import { isMap, isScalar, type Pair } from 'yaml';
import { type ParsedFile, parseFile } from '../config/document.js';
import { nearest } from '../config/nearest.js';
import { MlvError } from '../core/errors.js';
import type { Annotation } from '../workspace/annotation.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { OWN_FILE_LIMIT, readWholeTextFile } from '../workspace/text-file.js';
import { splitParamsSource } from './parse-params.js';
import type { ParamsChoice } from './run-metrics.js';
import { isSafePath } from './run-record.js';
import { annotationOfSource } from './stage-source.js';

/** The file that stages stand in, at the top of the working tree. */
export const PIPELINE_FILE = 'mlv.yaml';
const MAX_STAGES = 10_000;
const STAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** One step of a pipeline: a command, what it reads and what it writes. Paths are from the top of the repository. */
export interface Stage {
  name: string;
  /** A text for the shell, or a program with its arguments. */
  command: string | string[];
  deps: RepositoryPath[];
  params: ParamsChoice[];
  outs: RepositoryPath[];
  metrics: RepositoryPath[];
  /** The command goes on from its outputs as they are. */
  keep?: true;
  env?: Record<string, string>;
  desc?: string;
  /** Where the data came from, as it is written. */
  source?: unknown;
  /** The same for the pointers of its outputs. */
  annotation?: Annotation;
  /** Line of `mlv.yaml`, counted from 1. */
  line: number;
}

const KEYS = ['cmd', 'deps', 'params', 'outs', 'metrics', 'keep', 'env', 'desc', 'source'] as const;

/**
 * The stages in the `mlv.yaml` of a working tree (absolute path), in their order; none where it has no `stages`.
 * Errors: `PIPELINE_INVALID` with file and line, `CONFIG_INVALID` where the file is not YAML,
 * `PATH_UNSUPPORTED` above 1 MiB, `FILE_SYSTEM`.
 */
export function readPipeline(worktree: string): Stage[] {
  const path = join(worktree, PIPELINE_FILE);
  const found = readWholeTextFile(path, OWN_FILE_LIMIT);
  return found && 'text' in found ? parsePipeline(found.text, path) : [];
}

/** The stages in the text of an `mlv.yaml`; `path` is for messages. Errors as readPipeline. */
export function parsePipeline(text: string, path: string): Stage[] {
  const parsed = parseFile(text, { level: 'project', path });
  if (!isMap(parsed.document.contents)) return [];
  const node = parsed.document.contents.get('stages', true) as unknown;
  if (node === undefined || (isScalar(node) && node.value === null)) return [];
  if (!isMap(node)) throw invalid(parsed, node, "'stages' must be a mapping of names to stages");
  if (node.items.length > MAX_STAGES) throw invalid(parsed, node, `there are more than ${MAX_STAGES} stages`);
  return node.items.map((pair) => readStage(parsed, pair));
}

function readStage(parsed: ParsedFile, pair: Pair): Stage {
  const name = isScalar(pair.key) ? String(pair.key.value) : '';
  if (!STAGE_NAME.test(name)) {
    throw invalid(parsed, pair.key, `'${name}' cannot be the name of a stage: letters, digits, '_', '-' and '.' can`);
  }
  const fail = (reason: string, node: unknown = pair.key): never => {
    throw invalid(parsed, node, `stage '${name}': ${reason}`);
  };
  if (!isMap(pair.value)) return fail('it must be a mapping with cmd, deps, outs, …');
  for (const { key } of pair.value.items)
    checkKey(String(isScalar(key) ? key.value : key), (reason) => fail(reason, key));
  const reader = new StageReader(plainValues(parsed, pair, fail), fail);
  const env = reader.variables();
  const desc = reader.text('desc');
  const { source } = reader.values;
  const annotation = reader.annotation();
  return {
    name,
    command: reader.command(),
    deps: reader.paths('deps'),
    params: reader.texts('params').map((each) => reader.params(each)),
    outs: reader.paths('outs'),
    metrics: reader.paths('metrics'),
    ...(reader.flag('keep') && { keep: true as const }),
    ...(env && { env }),
    ...(desc !== undefined && { desc }),
    ...(source !== undefined && { source }),
    ...(annotation && { annotation }),
    line: parsed.placeOf(pair.key).line ?? 1,
  };
}

type Fail = (reason: string) => never;

function checkKey(key: string, fail: Fail): void {
  if ((KEYS as readonly string[]).includes(key)) return;
  const near = nearest(key, KEYS);
  fail(`'${key}' is not a key of a stage${near === undefined ? '' : `; did you mean '${KEYS[near]}'?`}`);
}

function plainValues(parsed: ParsedFile, pair: Pair, fail: Fail): Record<string, unknown> {
  if (!isMap(pair.value)) return {};
  try {
    return pair.value.toJS(parsed.document, { maxAliasCount: 0 }) as Record<string, unknown>;
  } catch {
    return fail('it holds a YAML alias, which is not supported here');
  }
}

/** Takes the values of a stage out of what YAML made of them. */
class StageReader {
  constructor(
    readonly values: Record<string, unknown>,
    private readonly fail: Fail,
  ) {}

  command(): string | string[] {
    const { cmd } = this.values;
    if (typeof cmd === 'string' && cmd.trim() !== '') return cmd;
    if (Array.isArray(cmd) && cmd.length > 0 && cmd.every((word) => typeof word === 'string')) return cmd;
    return this.fail("'cmd' must be a line for the shell, or a list of words: a program with its arguments");
  }

  text(key: string): string | undefined {
    const value = this.values[key];
    if (value === undefined || typeof value === 'string') return value;
    return this.fail(`'${key}' must be text`);
  }

  flag(key: string): boolean {
    const value = this.values[key] ?? false;
    return typeof value === 'boolean' ? value : this.fail(`'${key}' must be true or false`);
  }

  texts(key: string): string[] {
    const value = this.values[key] ?? [];
    const list = typeof value === 'string' ? [value] : value;
    if (Array.isArray(list) && list.every((each) => typeof each === 'string')) return list;
    return this.fail(`'${key}' must be a list of texts`);
  }

  paths(key: string): RepositoryPath[] {
    return this.texts(key).map((text) => this.path(text));
  }

  params(text: string): ParamsChoice {
    const { path, keys } = splitParamsSource(text);
    return { path: this.path(path), keys };
  }

  variables(): Record<string, string> | undefined {
    const { env } = this.values;
    if (env === undefined) return undefined;
    if (typeof env !== 'object' || env === null || Array.isArray(env)) return this.fail("'env' must be a mapping");
    const entries = Object.entries(env).map(([name, value]): [string, string] => {
      const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
      if (!isPlain || !/^[A-Za-z_]\w*$/.test(name)) return this.fail(`'env.${name}' is not a variable with a value`);
      return [name, String(value)];
    });
    return Object.fromEntries(entries);
  }

  annotation(): Annotation | undefined {
    const { source } = this.values;
    if (source === undefined || source === null) return undefined;
    if (typeof source !== 'string' && (typeof source !== 'object' || Array.isArray(source))) {
      return this.fail("'source' must be a URL or a mapping");
    }
    return annotationOfSource(source, this.fail);
  }

  private path(text: string): RepositoryPath {
    const path = text.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '');
    if (isSafePath(path)) return path;
    return this.fail(`'${text}' is not a path inside the repository, from its top`);
  }
}

function invalid(parsed: ParsedFile, node: unknown, reason: string): MlvError {
  return pipelineError(reason, parsed.placeOf(node));
}

/** The `PIPELINE_INVALID` error for something at a place of `mlv.yaml`. */
export function pipelineError(reason: string, place: { where?: string; file?: string; line?: number }): MlvError {
  const { line, file = PIPELINE_FILE } = place;
  const where = place.where ?? (line === undefined ? file : `${file}:${line}`);
  return new MlvError('PIPELINE_INVALID', `${where}: ${reason}`, {
    hint: 'docs/pipelines.md shows how stages are written',
    data: { file, ...(line !== undefined && { line }) },
  });
}
