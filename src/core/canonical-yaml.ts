/** What a canonical file may hold. Keys with the value `undefined` are left out. */
export type YamlValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue };

const PLAIN = /^(?:[A-Za-z_/](?:[A-Za-z0-9_./@+=<>()%~^*,-]|:(?! |$)| (?! |$))*|\d+\.\d+\.\d+[0-9A-Za-z.-]*)$/;
const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_./@-]*$/;
/** Words that some YAML reader takes for something else than text. */
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n|nan|inf)$/i;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?$/;
/** Characters that JSON writes as they are and YAML does not let stand, or lets nobody see. */
const HIDDEN = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;
/** Levels that a file may nest. */
const DEPTH = 32;

/**
 * The canonical YAML text of a mapping: the same content always gives the same bytes. Keys keep the order in which they
 * are given; mappings and lists are blocks indented by two, lists in lists are written as JSON, and text is plain where
 * no YAML reader could take it for anything else, in JSON's quotes otherwise. Numbers are finite; text is well-formed
 * Unicode (lone surrogates are replaced).
 */
export function encodeCanonicalYaml(value: { readonly [key: string]: YamlValue }): string {
  const lines: string[] = [];
  writeMap(lines, value, '');
  return lines.length === 0 ? '{}\n' : `${lines.join('\n')}\n`;
}

function writeMap(lines: string[], map: { readonly [key: string]: YamlValue }, indent: string): void {
  for (const [key, value] of Object.entries(map)) {
    if (value === undefined) continue;
    const name = PLAIN_KEY.test(key) && !RESERVED.test(key) ? key : quoted(key);
    writeValue(lines, value, { head: `${indent}${name}:`, indent });
  }
}

function writeValue(lines: string[], value: YamlValue, { head, indent }: { head: string; indent: string }): void {
  if (isList(value)) {
    if (value.length === 0 || value.some(isList)) return void lines.push(`${head} ${flow(value)}`);
    lines.push(head);
    for (const item of value) writeItem(lines, item, `${indent}  `);
  } else if (isMap(value)) {
    const before = lines.push(head);
    writeMap(lines, value, `${indent}  `);
    if (lines.length === before) lines[before - 1] = `${head} {}`;
  } else lines.push(`${head} ${scalar(value)}`);
}

function writeItem(lines: string[], item: YamlValue, indent: string): void {
  if (!isMap(item)) return void lines.push(`${indent}- ${scalar(item)}`);
  const before = lines.length;
  writeMap(lines, item, `${indent}  `);
  const first = lines[before];
  if (first === undefined) lines.push(`${indent}- {}`);
  else lines[before] = `${indent}- ${first.slice(indent.length + 2)}`;
}

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}

function isMap(value: YamlValue): value is { readonly [key: string]: YamlValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function scalar(value: YamlValue): string {
  if (typeof value === 'string') return PLAIN.test(value) && !RESERVED.test(value) ? value : quoted(value);
  if (typeof value === 'number') return String(value === 0 ? 0 : value);
  return String(value ?? null);
}

function quoted(text: string): string {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(Buffer.from(text, 'utf8').toString('utf8')).replace(HIDDEN, escaped);
}

function flow(list: readonly YamlValue[]): string {
  const items = list.map((item) =>
    isList(item) ? flow(item) : typeof item === 'string' ? quoted(item) : scalar(item),
  );
  return `[${items.join(', ')}]`;
}

/**
 * Reads a text that encodeCanonicalYaml could have written, far faster than a YAML parser. Gives undefined for every
 * other text, which a YAML parser must then read; what it gives is what that parser would give.
 */
export function parseCanonicalYaml(text: string): Record<string, unknown> | undefined {
  if (!text.endsWith('\n')) return undefined;
  const reader = new LineReader(text.slice(0, -1).split('\n'));
  const value = reader.map(0, 0);
  return reader.finished ? value : undefined;
}

const KEY = /^(?:([A-Za-z_][A-Za-z0-9_./@-]*)|("(?:[^"\\]|\\.)*")):(?: (.*))?$/;

class LineReader {
  private at = 0;
  private broken = false;

  constructor(private readonly lines: readonly string[]) {}

  /** True when every line was understood. */
  get finished(): boolean {
    return !this.broken && this.at === this.lines.length;
  }

  /** The mapping whose keys stand at this column; `first` replaces the line that is behind a list's dash. */
  map(column: number, depth: number, first?: string): Record<string, unknown> | undefined {
    const found: Record<string, unknown> = {};
    let line = first ?? this.lineAt(column);
    if (line === undefined || depth > DEPTH) return this.fail();
    for (; line !== undefined; line = this.lineAt(column)) {
      const match = KEY.exec(line);
      const key = match ? keyOf(match[1], match[2]) : undefined;
      if (!match || key === undefined || Object.hasOwn(found, key)) return this.fail();
      this.at += 1;
      const value = match[3] === undefined ? this.block(column + 2, depth + 1) : readScalar(match[3]);
      if (value === undefined || this.broken) return this.fail();
      found[key] = value;
    }
    return found;
  }

  private block(column: number, depth: number): unknown {
    const line = this.lineAt(column);
    if (line === undefined) return this.fail();
    return line.startsWith('- ') ? this.list(column, depth) : this.map(column, depth);
  }

  private list(column: number, depth: number): unknown[] | undefined {
    const items: unknown[] = [];
    for (let line = this.lineAt(column); line?.startsWith('- '); line = this.lineAt(column)) {
      const rest = line.slice(2);
      const value = KEY.test(rest) ? this.map(column + 2, depth + 1, rest) : this.item(rest);
      if (value === undefined || this.broken) return this.fail();
      items.push(value);
    }
    return items;
  }

  private item(text: string): unknown {
    this.at += 1;
    return readScalar(text);
  }

  /** The current line without its indentation, where it begins at that column. */
  private lineAt(column: number): string | undefined {
    const line = this.lines[this.at];
    if (line === undefined || line.length <= column || line[column] === ' ') return undefined;
    for (let index = 0; index < column; index += 1) if (line[index] !== ' ') return undefined;
    return column === 0 ? line : line.slice(column);
  }

  private fail(): undefined {
    this.broken = true;
    return undefined;
  }
}

function keyOf(plain: string | undefined, quotedKey: string | undefined): string | undefined {
  const key = plain ?? json(quotedKey as string);
  if (typeof key !== 'string' || key === '__proto__' || key.length > 1000) return undefined;
  return plain !== undefined && RESERVED.test(plain) ? undefined : key;
}

function readScalar(text: string): unknown {
  const first = text[0];
  if (first === '"') return HIDDEN_ONCE.test(text) ? undefined : json(text);
  if (first === '[') return HIDDEN_ONCE.test(text) ? undefined : list(text);
  if (text === '{}') return {};
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (text === 'null') return null;
  if (NUMBER.test(text)) return Number(text);
  return PLAIN.test(text) && !RESERVED.test(text) ? text : undefined;
}

const HIDDEN_ONCE = new RegExp(HIDDEN.source);

function list(text: string): unknown {
  const value = json(text);
  // JSON's numbers may be written in ways that YAML reads otherwise.
  return value !== undefined && nestsUpTo(value, DEPTH) && flow(value as YamlValue[]) === text ? value : undefined;
}

function nestsUpTo(value: unknown, levels: number): boolean {
  return !Array.isArray(value) || (levels > 0 && value.every((item) => nestsUpTo(item, levels - 1)));
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
