import { MlvError } from '../core/errors.js';
import { isWindowsDeviceName } from '../objects/entry-name.js';

const MODEL_NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
/** With a version behind it, the name is part of a tag and of file names. */
const LONGEST = 100;
const STAGE_NAME = /^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$/;
const LONGEST_STAGE = 40;
/** Words that mean something else where a stage could stand. */
const NO_STAGE = new Set(['latest', 'none']);

/** Why a name cannot be a model's, or undefined where it can. */
export function modelNameProblem(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.length > LONGEST) return `it is longer than ${LONGEST} characters`;
  if (!MODEL_NAME.test(name)) {
    return "it may hold lower-case letters and digits, with single '.', '-' or '_' between them, and nothing else";
  }
  if (isWindowsDeviceName(name)) return 'it is a device name on Windows';
  return name.endsWith('.lock') ? "Git takes no name that ends with '.lock'" : undefined;
}

/**
 * Gives a model's name back. It can stand in a path, a Git ref and a URL as it is, and no two names differ by case only.
 * Error: `MODEL_NAME_INVALID`.
 */
export function checkModelName(name: string): string {
  const problem = modelNameProblem(name);
  if (problem === undefined) return name;
  const suggested = suggestionFor(name);
  throw new MlvError('MODEL_NAME_INVALID', `'${name}' cannot be the name of a model: ${problem}`, {
    ...(suggested && { hint: `for example: ${suggested}` }),
    data: { name },
  });
}

function suggestionFor(name: string): string | undefined {
  const words = name
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);
  const suggested = words.join('-').slice(0, LONGEST).replace(/-$/, '');
  return modelNameProblem(suggested) === undefined ? suggested : undefined;
}

/** True for a name that a stage can have: a letter, then letters, digits and single `-` or `_`, 40 at most. */
export function isStageName(name: string): boolean {
  return name.length <= LONGEST_STAGE && STAGE_NAME.test(name) && !NO_STAGE.has(name);
}
