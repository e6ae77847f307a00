import { parseCanonicalYaml } from '../core/canonical-yaml.js';
import { MlvError } from '../core/errors.js';
import { readYamlMapping, YamlProblem } from '../core/read-yaml.js';
import { inShellQuotes } from '../core/shell-quote.js';
import { isOid, type Oid } from '../objects/oid.js';

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const CONTROL = /[\u0000-\u001f\u007f]/;
/** Characters of one line of text, and of a longer text. */
const LINE = 2000;
const TEXT = 100_000;
/** Entries of one list or mapping. */
const ENTRIES = 100_000;

/** A file of the registry, for messages. */
export interface RegistryFile {
  /** What it should be: `a manifest`. */
  kind: string;
  /** Its path on the registry's branch, or what else people know it by. */
  path: string;
  /** The commit that it was read at. */
  commit?: string;
}

/** The `REGISTRY_INVALID` error for a file that breaks its format. */
export function invalidFile(file: RegistryFile, reason: string, cause?: unknown): MlvError {
  const where = file.commit === undefined ? '' : ` (commit ${file.commit.slice(0, 12)})`;
  return new MlvError('REGISTRY_INVALID', `'${file.path}'${where} is not ${file.kind}: ${reason}`, {
    hint: `look at who wrote it: git log mlv-registry -- ${inShellQuotes(file.path)}`,
    data: { path: file.path, ...(file.commit !== undefined && { commit: file.commit }) },
    cause,
  });
}

/**
 * Reads a YAML file of format 1 and gives its mapping, to be taken apart. Errors: `REGISTRY_INVALID`, `FORMAT_TOO_NEW`.
 */
export function readShape(text: string, file: RegistryFile, limit: number): Shape {
  const value = (text.length <= limit ? parseCanonicalYaml(text) : undefined) ?? readAnyYaml(text, file, limit);
  if (typeof value.mlv === 'number' && value.mlv > 1) {
    throw new MlvError('FORMAT_TOO_NEW', `'${file.path}' has format ${value.mlv}; this mlv reads format 1`, {
      hint: 'install a newer mlv',
      data: { path: file.path },
    });
  }
  const shape = new Shape(value, '', file);
  if (value.mlv !== 1) shape.fail("the key 'mlv' is not 1");
  return shape;
}

function readAnyYaml(text: string, file: RegistryFile, limit: number): Record<string, unknown> {
  try {
    return readYamlMapping(text, limit);
  } catch (error) {
    if (error instanceof YamlProblem) throw invalidFile(file, error.message, error);
    throw error;
  }
}

/** One mapping out of a file that somebody else wrote, and how to take it apart. */
export class Shape {
  constructor(
    private readonly value: Record<string, unknown>,
    /** Where it stands in the file: empty at the top, else keys with a dot behind each. */
    private readonly prefix: string,
    readonly file: RegistryFile,
  ) {}

  /** Ends with `REGISTRY_INVALID`. */
  fail(reason: string): never {
    throw invalidFile(this.file, reason);
  }

  /** The mapping's keys, in the file's order. */
  keys(): string[] {
    return Object.keys(this.value);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.value, key) && this.value[key] !== undefined;
  }

  /** Refuses keys beside these: what a file says that this mlv does not understand must not be passed over. */
  only(keys: readonly string[]): void {
    const unknown = this.keys().find((key) => !keys.includes(key));
    if (unknown !== undefined) this.fail(`the key '${this.prefix}${unknown}' is not known to this mlv`);
  }

  /** One line of text. */
  text(key: string): string {
    const value = this.value[key];
    if (typeof value !== 'string' || value === '' || value.length > LINE || CONTROL.test(value)) {
      this.wrong(key, `one line of text, ${LINE} characters at most`);
    }
    return value;
  }

  /** Text of any lines. */
  prose(key: string): string {
    const value = this.value[key];
    if (typeof value !== 'string' || value.length > TEXT) this.wrong(key, `text of ${TEXT} characters at most`);
    return value;
  }

  choice<const T extends string>(key: string, words: readonly T[]): T {
    const found = words.find((word) => word === this.value[key]);
    return found ?? this.wrong(key, `one of ${words.join(', ')}`);
  }

  number(key: string): number {
    const value = this.value[key];
    return typeof value === 'number' && Number.isFinite(value) ? value : this.wrong(key, 'a number');
  }

  /** A whole number that is not negative. */
  count(key: string): number {
    const value = this.number(key);
    return Number.isSafeInteger(value) && value >= 0 ? value : this.wrong(key, 'a whole number');
  }

  flag(key: string): boolean {
    const value = this.value[key];
    return typeof value === 'boolean' ? value : this.wrong(key, 'true or false');
  }

  oid(key: string): Oid {
    const value = this.value[key];
    return isOid(value) ? value : this.wrong(key, '<algorithm>:<64 hex digits>');
  }

  digest(key: string): string {
    const value = this.value[key];
    return typeof value === 'string' && DIGEST.test(value) ? value : this.wrong(key, 'sha256:<64 hex digits>');
  }

  commit(key: string): string {
    const value = this.value[key];
    return typeof value === 'string' && COMMIT.test(value) ? value : this.wrong(key, 'the full name of a commit');
  }

  /** RFC 3339. */
  time(key: string): string {
    const value = this.value[key];
    const valid = typeof value === 'string' && TIME.test(value) && !Number.isNaN(Date.parse(value));
    return valid ? value : this.wrong(key, 'a time such as 2026-03-01T09:30:00Z');
  }

  /** A day, `2028-12-31`. */
  date(key: string): string {
    const value = this.value[key];
    const valid = typeof value === 'string' && DATE.test(value) && !Number.isNaN(Date.parse(value));
    return valid ? value : this.wrong(key, 'a date such as 2028-12-31');
  }

  /** Any value that holds no functions of YAML beyond JSON. */
  any(key: string): unknown {
    return this.value[key];
  }

  /** A mapping below a key. */
  map(key: string): Shape {
    return this.shape(this.value[key], key);
  }

  /** A list of mappings; empty where the key is absent. */
  maps(key: string): Shape[] {
    return this.list(key).map((item, index) => this.shape(item, `${key}[${index}]`));
  }

  /** A list of lines of text; empty where the key is absent. */
  texts(key: string): string[] {
    const list = this.list(key);
    if (!list.every((item) => typeof item === 'string' && item.length <= LINE && !CONTROL.test(item))) {
      this.wrong(key, 'a list of texts');
    }
    return list as string[];
  }

  /** Reads a value where its key is there: `{ ...shape.optional('reason', (key) => shape.prose(key)) }`. */
  optional<K extends string, T>(key: K, read: (key: K) => T): { [P in K]?: T } {
    return this.has(key) ? ({ [key]: read(key) } as { [P in K]?: T }) : {};
  }

  /** Ends with `REGISTRY_INVALID` for a value that is not what it should be. */
  wrong(key: string, wanted: string): never {
    const found = this.value[key];
    if (found === undefined) this.fail(`the key '${this.prefix}${key}' is missing`);
    return this.fail(`the key '${this.prefix}${key}' is not ${wanted}`);
  }

  private list(key: string): unknown[] {
    const value = this.value[key] ?? [];
    return Array.isArray(value) && value.length <= ENTRIES ? value : this.wrong(key, 'a list');
  }

  private shape(value: unknown, key: string): Shape {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length > ENTRIES) {
      return this.fail(`the key '${this.prefix}${key}' is ${value === undefined ? 'missing' : 'not a mapping'}`);
    }
    return new Shape(value as Record<string, unknown>, `${this.prefix}${key}.`, this.file);
  }
}
