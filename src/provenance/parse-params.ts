import { isMlvError, MlvError } from '../core/errors.js';
import { flatten, MAX_NAMES, nameProblem, type PlainValue, paramValues } from './dotted-names.js';
import type { Params } from './params.js';
import { type Asker, formatOf, invalidText, parseStructured } from './structured-text.js';

/** A file of parameters, and which of its names are asked for. */
export interface ParamsSource {
  /** Path as the user gave it. */
  path: string;
  /** Dotted names, each with everything below it; empty for all. */
  keys: readonly string[];
}

/**
 * Reads the parameters of a file's text: YAML, JSON, TOML or the constants of a Python module, by the ending of its name.
 * Nested names are dotted. Error: `PARAMS_INVALID`. See docs/params-and-metrics.md.
 */
export async function parseParams(text: string, file: string): Promise<Params> {
  const asker: Asker = { file, code: 'PARAMS_INVALID' };
  return toParams(await parsePlain(text, asker), asker);
}

async function parsePlain(text: string, asker: Asker): Promise<PlainValue> {
  const format = formatOf(asker.file);
  if (format === 'python') {
    const { pythonConstants } = await import('./python-constants.js');
    return pythonConstants(text);
  }
  if (format === 'yaml' || format === 'json' || format === 'toml') return parseStructured(text, format, asker);
  throw invalidText(asker, 'its name does not end with .yaml, .yml, .json, .toml or .py');
}

function toParams(value: PlainValue, asker: Asker): Params {
  const refuse = (reason: string): never => {
    throw invalidText(asker, reason);
  };
  const convert = paramValues(refuse);
  return Object.fromEntries(flatten(value, refuse).map((leaf) => [leaf.name, convert(leaf)]));
}

/**
 * `params.yaml:model,train.lr` as a path and the names that are asked for. A single letter before the colon is a drive of
 * Windows. Error: `USAGE` for a colon with nothing behind it.
 */
export function splitParamsSource(argument: string): ParamsSource {
  const colon = argument.lastIndexOf(':');
  if (colon < 2 || /[\\/]/.test(argument.slice(colon))) return { path: argument, keys: [] };
  const keys = argument.slice(colon + 1).split(',');
  if (keys.some((key) => key === '')) {
    throw new MlvError('USAGE', `'${argument}' names no parameter behind its colon`, {
      hint: 'write it as params.yaml:model.depth, or params.yaml for all of them',
    });
  }
  return { path: argument.slice(0, colon), keys };
}

/** Those parameters that the keys name, or lie below one. Error: `PARAMS_INVALID` for a key that names none. */
export function selectParams(params: Params, { path, keys }: ParamsSource): Params {
  if (keys.length === 0) return params;
  const chosen: Params = {};
  for (const key of keys) {
    const names = Object.keys(params).filter((name) => name === key || name.startsWith(`${key}.`));
    if (names.length === 0) throw missingParam(key, { path, params });
    for (const name of names) chosen[name] = params[name] ?? null;
  }
  return chosen;
}

function missingParam(key: string, { path, params }: { path: string; params: Params }): MlvError {
  const names = Object.keys(params);
  const some = names.slice(0, 8).join(', ');
  return new MlvError('PARAMS_INVALID', `'${path}' has no parameter '${key}'`, {
    hint: names.length === 0 ? 'it holds no parameters' : `it has: ${some}${names.length > 8 ? ', …' : ''}`,
    data: { path, key },
  });
}

/**
 * Parameters of several files as one. Error: `PARAMS_INVALID` where two files give one name different values, and where
 * there are too many.
 */
export function mergeParams(sources: readonly { path: string; params: Params }[]): Params {
  const merged = new Map<string, { path: string; value: Params[string] }>();
  for (const { path, params } of sources) {
    for (const [name, value] of Object.entries(params)) {
      const before = merged.get(name);
      if (before && JSON.stringify(before.value) !== JSON.stringify(value)) throw twoValues(name, before.path, path);
      merged.set(name, { path, value });
    }
  }
  if (merged.size > MAX_NAMES) {
    throw new MlvError('PARAMS_INVALID', `these are ${merged.size} parameters; the most is ${MAX_NAMES}`, {
      hint: 'name those that matter: params.yaml:model,train.lr',
    });
  }
  return Object.fromEntries([...merged].map(([name, { value }]) => [name, value]));
}

function twoValues(name: string, first: string, second: string): MlvError {
  return new MlvError(
    'PARAMS_INVALID',
    `the parameter '${name}' has one value in '${first}' and another in '${second}'`,
    {
      hint: `name the parameters that are meant, such as ${first}:${name}, or leave one file out`,
      data: { name, paths: [first, second] },
    },
  );
}

/**
 * A parameter given as `key=value`; the value is read as YAML, so that numbers, booleans, null and lists (`[1, 2]`) are
 * what they look like, and quotes make text of anything. Errors: `USAGE` for what is no assignment, `PARAMS_INVALID`.
 */
export async function parseParamAssignment(text: string): Promise<Params> {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0)).trim();
  const problem = equals < 0 ? "it holds no '='" : nameProblem(name);
  if (problem !== undefined) {
    throw new MlvError('USAGE', `'${text}' is not a parameter: ${problem}`, { hint: 'write it as -p depth=3' });
  }
  const written = text.slice(equals + 1);
  if (written.trim() === '') return { [name]: '' };
  const asker: Asker = { file: `-p ${name}`, code: 'PARAMS_INVALID' };
  try {
    const value = await parseStructured(`{ value: ${written} }`, 'yaml', asker);
    const [inner] = value instanceof Map && value.size === 1 ? value.values() : [];
    if (inner !== undefined) return toParams(new Map([[name, inner]]), asker);
  } catch (error) {
    // What is no YAML value is text as it stands: `-p note=a: b`.
    if (!isMlvError(error, 'PARAMS_INVALID')) throw error;
  }
  return toParams(new Map([[name, written]]), asker);
}
