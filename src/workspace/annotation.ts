import { type Document, isMap } from 'yaml';
import { MlvError } from '../core/errors.js';
import { isMapping } from '../core/mapping.js';
import { parseYamlDocument } from '../core/read-yaml.js';
import { redactUrl } from '../core/redact.js';
import { inShellQuotes } from '../core/shell-quote.js';
import { isOid, type Oid } from '../objects/oid.js';

/** Columns of a table that a pointer remembers; see docs/formats/pointer.md. */
export interface AnnotatedSchema {
  /** The content that was profiled: of another one, the pointer knows nothing. */
  oid: Oid;
  /** `sha256:<hex>` of names and types. */
  digest: string;
  rows: number;
  /** Absent where there are too many for a pointer. */
  columns?: { name: string; type: string }[];
}

/** Where data came from, as people say it. Kept in the pointer under the key `annotation`. */
export interface Annotation {
  urls?: string[];
  /** The time that the data is of: a year, month, day or timestamp, as ISO 8601 writes it. */
  from?: string;
  to?: string;
  /** What was taken of the origin. */
  filters?: string[];
  /** An SPDX expression. */
  licence?: string;
  /** How it was labelled or annotated. */
  procedure?: string;
  schema?: AnnotatedSchema;
  /** Whatever else a team wants to know. */
  facts?: Record<string, string>;
}

/** The keys of an annotation that are texts or lists of texts. */
export const ANNOTATION_KEYS = ['urls', 'from', 'to', 'filters', 'licence', 'procedure', 'schema'] as const;

const MAX_TEXT = 2000;
const MAX_ITEMS = 100;
const FACT_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;
const TIME = /^\d{4}(?:-\d\d(?:-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?)?)?$/;

/** True for what can be the name of a fact. */
export function isFactName(name: string): boolean {
  return FACT_NAME.test(name) && !(ANNOTATION_KEYS as readonly string[]).includes(name) && name !== 'facts';
}

/** Why an annotation is refused, or undefined for one that is fine. What Git keeps must hold no credential. */
export function annotationProblem({ urls, from, to, filters, facts, ...others }: Annotation): string | undefined {
  const badUrl = urls?.find((each) => !isUrl(each));
  if (badUrl !== undefined) return `'${redactUrl(badUrl)}' is not a URL`;
  for (const each of [from, to]) {
    if (each !== undefined && !isTime(each)) return `'${each}' is not a date, such as 2024-01-31, 2024-01 or 2024`;
  }
  if (from !== undefined && to !== undefined && isAfter(from, to)) return `'${from}' is after '${to}'`;
  const badName = Object.keys(facts ?? {}).find((name) => !isFactName(name));
  if (badName !== undefined) return `'${badName}' cannot be the name of a fact: letters, digits, '_', '-' and '.' can`;
  const lists = [urls ?? [], filters ?? [], Object.values(facts ?? {})];
  if (lists.some((list) => list.length > MAX_ITEMS)) return `there are more than ${MAX_ITEMS} values of one kind`;
  const texts = [...lists.flat(), others.licence ?? '', others.procedure ?? ''];
  if (texts.some((text) => text.length > MAX_TEXT)) return `a text is longer than ${MAX_TEXT} characters`;
  const secret = texts.find((text) => redactUrl(text) !== text);
  return secret === undefined ? undefined : `'${redactUrl(secret)}' holds a credential, and pointers are public in Git`;
}

function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\S+$/i.test(text) && URL.canParse(text);
}

function isTime(text: string): boolean {
  return TIME.test(text) && !Number.isNaN(Date.parse(text.replace(' ', 'T')));
}

/** Of what both say: the year 2024 is not before its March. */
function isAfter(from: string, to: string): boolean {
  const length = Math.min(from.length, to.length, 'YYYY-MM-DD'.length);
  return from.slice(0, length) > to.slice(0, length);
}

/**
 * What the text of a pointer says of where its data came from; undefined where it says nothing. Credentials that somebody
 * wrote into it are left out. Error: `POINTER_INVALID`; `file` is for its message.
 */
export function readAnnotation(text: string, file: string): Annotation | undefined {
  if (!text.includes('\nannotation:')) return undefined;
  const document = parseYamlDocument(text, { schema: 'core', logLevel: 'error' });
  const value = plain(document, file);
  if (value === undefined) return undefined;
  const fail = (key: string): never => {
    throw new MlvError(
      'POINTER_INVALID',
      `'${file}' is not a pointer: the key 'annotation.${key}' is not what it must be`,
      {
        hint: `write it anew: mlv annotate --unset ${key}, or restore it: git checkout -- ${inShellQuotes(file)}`,
        data: { path: file },
      },
    );
  };
  const found: Annotation = {};
  for (const key of ['from', 'to', 'licence', 'procedure'] as const) {
    const each = value[key];
    if (each !== undefined && each !== null) found[key] = redactUrl(textOf(each) ?? fail(key));
  }
  for (const key of ['urls', 'filters'] as const) {
    const list = value[key];
    if (list === undefined || list === null) continue;
    const texts = (Array.isArray(list) ? list : [list]).map((each) => redactUrl(textOf(each) ?? fail(key)));
    found[key] = texts;
  }
  if (value.facts !== undefined && value.facts !== null) {
    if (!isMapping(value.facts)) return fail('facts');
    found.facts = Object.fromEntries(
      Object.entries(value.facts).map(([name, each]) => [name, redactUrl(textOf(each) ?? fail('facts'))]),
    );
  }
  if (value.schema !== undefined) found.schema = schemaOf(value.schema) ?? fail('schema');
  return found;
}

function plain(document: Document, file: string): Record<string, unknown> | undefined {
  try {
    const value = isMap(document.contents) ? (document.toJS({ maxAliasCount: 0 }) as Record<string, unknown>) : {};
    if (isMapping(value.annotation)) return value.annotation;
    if (value.annotation === undefined || value.annotation === null) return undefined;
  } catch {
    // Aliases, or too deep: the same answer.
  }
  throw new MlvError('POINTER_INVALID', `'${file}' is not a pointer: the key 'annotation' is not a mapping`, {
    hint: `restore it: git checkout -- ${inShellQuotes(file)}`,
    data: { path: file },
  });
}

function textOf(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

function schemaOf(value: unknown): AnnotatedSchema | undefined {
  if (!isMapping(value)) return undefined;
  const { oid, digest, rows, columns } = value;
  if (!isOid(oid) || typeof digest !== 'string' || !Number.isSafeInteger(rows)) return undefined;
  if (columns === undefined) return { oid, digest, rows: rows as number };
  const isColumn = (each: unknown): boolean =>
    isMapping(each) && typeof each.name === 'string' && typeof each.type === 'string';
  if (!Array.isArray(columns) || !columns.every(isColumn)) return undefined;
  return { oid, digest, rows: rows as number, columns: columns.map(({ name, type }) => ({ name, type })) };
}

/** What is to be said, and what no more: keys of an annotation or names of facts. */
export interface AnnotationChange {
  set: Annotation;
  unset?: readonly string[];
}

/**
 * The text of a pointer with other annotations. Comments, order and keys that mlv does not know are kept; a change that
 * changes nothing gives the same bytes.
 */
export function annotatedText(text: string, { set, unset = [] }: AnnotationChange): string {
  const document = parseYamlDocument(text, { schema: 'core' });
  let changed = false;
  const write = (path: string[], value: unknown): void => {
    const before = document.getIn(path) as { toJSON?: () => unknown } | undefined;
    const plainBefore = typeof before === 'object' && before?.toJSON ? before.toJSON() : before;
    if (JSON.stringify(plainBefore) === JSON.stringify(value)) return;
    changed = true;
    if (!isMap(document.get('annotation'))) document.set('annotation', document.createNode({}));
    if (path.length > 2 && !isMap(document.getIn(path.slice(0, -1)))) {
      document.setIn(path.slice(0, -1), document.createNode({}));
    }
    document.setIn(path, typeof value === 'object' ? document.createNode(value) : value);
  };
  const { facts, ...others } = set;
  for (const [key, value] of Object.entries(others)) if (value !== undefined) write(['annotation', key], value);
  for (const [name, value] of Object.entries(facts ?? {})) write(['annotation', 'facts', name], value);
  for (const name of unset) {
    const isKey = (ANNOTATION_KEYS as readonly string[]).includes(name);
    const path = isKey ? ['annotation', name] : ['annotation', 'facts', name];
    if (!document.hasIn(path)) continue;
    document.deleteIn(path);
    changed = true;
  }
  if (!changed) return text;
  for (const path of [['annotation', 'facts'], ['annotation']]) {
    const node = document.getIn(path);
    if (isMap(node) && node.items.length === 0) document.deleteIn(path);
  }
  return document.toString({ lineWidth: 0 });
}
