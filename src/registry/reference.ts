import { MlvError } from '../core/errors.js';
import { readConditionDate } from './condition-syntax.js';
import { isStageName, modelNameProblem } from './model-name.js';
import { tryVersion } from './version-number.js';
import { tryVersionRange } from './version-range.js';

/** Which version of a model is meant. */
export type VersionSelector =
  | { kind: 'latest'; back: number }
  | { kind: 'version'; version: string }
  | { kind: 'range'; range: string }
  | { kind: 'stage'; stage: string /** How many versions before what is there now. */; back: number }
  | { kind: 'digest'; digest: string };

/** What a user may write where a version is expected, taken apart; see docs/references.md. */
export type Reference =
  | {
      kind: 'named';
      model: string;
      selector: VersionSelector;
      /** The registry is asked as it was at this time. */
      at?: Date;
    }
  /** The oid of an artifact or the digest of a manifest, whole or from 8 hex digits on. */
  | { kind: 'digest'; digest: string }
  /** One word: a model, and where it is hex of 7 digits or more, perhaps a commit. */
  | { kind: 'word'; word: string };

const DIGEST = /^(?:blake3|sha256):[0-9a-f]{8,64}$/;
const COMMIT = /^[0-9a-f]{7,64}$/;
const LONGEST = 512;

/**
 * Takes a reference apart: `fraud@1.4.0`, `fraud@^1.2`, `fraud@latest`, `fraud@production`, `fraud@production~1`,
 * `fraud@{2026-03-01}`, `fraud@production@{2026-03-01}`, `fraud`, an oid, a commit, the digest of a manifest. Pure; what
 * it leads to is found by resolveReference. Error: `VERSION_INVALID` for anything else, such as a path or an option.
 */
export function parseReference(text: string): Reference {
  const reference = tryReference(text);
  if (reference) return reference;
  throw new MlvError('VERSION_INVALID', `'${text}' is no reference to a version: ${problemOf(text)}`, {
    hint: 'such as: fraud@1.4.0, fraud@^1.2, fraud@latest, fraud@production, fraud@production~1, fraud@{2026-03-01}',
    data: { reference: text },
  });
}

/** As parseReference; undefined for what is no reference. */
export function tryReference(text: string): Reference | undefined {
  if (text.length > LONGEST) return undefined;
  if (DIGEST.test(text)) return { kind: 'digest', digest: text };
  const at = text.indexOf('@');
  if (at < 0) return modelNameProblem(text) === undefined || isCommit(text) ? { kind: 'word', word: text } : undefined;
  const model = text.slice(0, at);
  if (modelNameProblem(model) !== undefined) return undefined;
  const { rest, date } = withoutDate(text.slice(at + 1));
  if (rest === undefined) return undefined;
  const selector = rest === '' && date ? ({ kind: 'latest', back: 0 } as const) : selectorOf(rest);
  return selector && { kind: 'named', model, selector, ...(date && { at: date }) };
}

/**
 * True for what can only be meant as a version where paths are expected, too: a model with something behind an `@`. The
 * caller looks first whether there is such a path.
 */
export function isExplicitReference(text: string): boolean {
  return tryReference(text)?.kind === 'named';
}

/** True for hex of at least 7 digits. */
export function isCommit(text: string): boolean {
  return COMMIT.test(text);
}

/**
 * The last moment of a day, or a moment, as `2026-03-01` and `2026-03-01T10:00:00Z` name it (UTC where no offset is
 * given). Undefined for text that is no date.
 */
export function readMoment(text: string): Date | undefined {
  const date = readConditionDate(text.replace(' ', 'T'));
  return date && new Date(date.end - 1);
}

/** `production@{2026-03-01}`: what stands before the date, and the date; `rest` is undefined where it cannot be read. */
function withoutDate(text: string): { rest: string | undefined; date?: Date } {
  const braces = /^(?:([^{}]*)@)?\{([^{}]*)\}$/.exec(text);
  if (!braces) return { rest: /[{}]/.test(text) ? undefined : text };
  const date = readMoment(braces[2] as string);
  return date ? { rest: braces[1] ?? '', date } : { rest: undefined };
}

function selectorOf(text: string): VersionSelector | undefined {
  const [, name = '', steps] = /^([a-z][a-z0-9_-]*)(?:~(\d{1,4}))?$/.exec(text) ?? [];
  const back = Number(steps ?? 0);
  if (name === 'latest') return { kind: 'latest', back };
  if (isStageName(name)) return { kind: 'stage', stage: name, back };
  if (DIGEST.test(text)) return { kind: 'digest', digest: text };
  if (tryVersion(text)) return { kind: 'version', version: text };
  // A word that begins with a letter is a stage, so that `v1` or `x` is no range by accident.
  return /^[\d^~<>=*](?:[ -~]*[!-~])?$/.test(text) && tryVersionRange(text)
    ? { kind: 'range', range: text }
    : undefined;
}

function problemOf(text: string): string {
  if (text === '') return 'it is empty';
  if (text.length > LONGEST) return `it is longer than ${LONGEST} characters`;
  if (text.startsWith('-')) return 'it looks like an option';
  const at = text.indexOf('@');
  const model = at < 0 ? text : text.slice(0, at);
  const problem = modelNameProblem(model);
  if (problem !== undefined) return `'${model}' cannot be the name of a model (${problem})`;
  const [, date] = /\{([^{}]*)\}?$/.exec(text) ?? [];
  if (date !== undefined) return `'${date}' is no date such as 2026-03-01 or 2026-03-01T10:00:00Z`;
  return `'${text.slice(at + 1)}' is neither a version, a range, a stage nor latest`;
}
