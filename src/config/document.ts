import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair } from 'yaml';
import { MlvError } from '../core/errors.js';
import { parseYamlDocument, yamlReason } from '../core/read-yaml.js';
import type { FileLevel } from './levels.js';
import { type KnownKey, lookUp, SECTIONS, type SettingValue, suggestion } from './settings.js';
import { checkLevel, invalid, type Place, parseValue } from './values.js';

/** The newest format of `mlv.yaml` that this version reads. */
export const FORMAT = 1;

/** A file of a level. */
export interface LevelFile {
  level: FileLevel;
  /** Absolute. */
  path: string;
}

/** A value and where it stands. */
export interface LevelEntry {
  known: KnownKey;
  value: SettingValue;
  place: Place;
}

/** A parsed file, with the way from a node to its line. */
export interface ParsedFile {
  file: LevelFile;
  document: Document.Parsed;
  placeOf(node: unknown): Place;
}

/** Parses the YAML of a level. Errors: `CONFIG_INVALID` with file and line; `FORMAT_TOO_NEW` for a newer `mlv.yaml`. */
export function parseFile(text: string, file: LevelFile): ParsedFile {
  const lineCounter = new LineCounter();
  const document = parseYaml(text, { file, lineCounter });
  const placeAt = (offset: number | undefined): Place => {
    const line = offset === undefined ? undefined : lineCounter.linePos(offset).line;
    return line === undefined
      ? { where: file.path, file: file.path }
      : { where: `${file.path}:${line}`, file: file.path, line };
  };
  const [error] = document.errors;
  if (error) {
    // For too deep nesting the parser's own words are those of its stack.
    throw invalid(placeAt(error.pos[0]), error.code === 'RESOURCE_EXHAUSTION' ? yamlReason(error) : error.message);
  }
  const parsed = { file, document, placeOf: (node: unknown) => placeAt(startOf(node)) };
  if (document.contents !== null && !isMap(document.contents) && !isEmpty(document.contents)) {
    throw invalid(parsed.placeOf(document.contents), 'the file must hold keys and values');
  }
  if (file.level === 'project') checkFormat(parsed);
  return parsed;
}

/**
 * Every setting in a file, by its dotted key. In `mlv.yaml`, unknown top-level keys belong to others and are passed over.
 * Errors: `CONFIG_INVALID`, `CREDENTIAL_IN_COMMITTED_CONFIG`.
 */
export function readSettings(parsed: ParsedFile, home: string): Map<string, LevelEntry> {
  const entries = new Map<string, LevelEntry>();
  for (const pair of pairsOf(parsed, parsed.document.contents, '')) {
    const section = keyOf(pair);
    if ((SECTIONS as readonly string[]).includes(section)) readSection(parsed, pair, { key: section, home, entries });
    else if (parsed.file.level !== 'project') throw unknownKey(parsed, pair, section);
  }
  return entries;
}

/** The value of a top-level key as plain text with its place, or undefined where it is absent or not plain. */
export function topLevelText(parsed: ParsedFile, key: string): { text: string; place: Place } | undefined {
  if (!isMap(parsed.document.contents)) return undefined;
  const node = parsed.document.contents.get(key, true);
  const text = scalarText(node);
  return text === undefined ? undefined : { text, place: parsed.placeOf(node) };
}

/** Renders a document so that lines stay as long as their author made them. */
export function renderDocument(document: Document): string {
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function parseYaml(text: string, options: { file: LevelFile; lineCounter: LineCounter }): Document.Parsed {
  const { file, lineCounter } = options;
  try {
    return parseYamlDocument(text, { lineCounter, prettyErrors: false, stringKeys: true, logLevel: 'error' });
  } catch (error) {
    // The library raises a plain error only for what no one writes by hand, such as ten thousand levels of nesting.
    const place = { where: file.path, file: file.path };
    throw invalid(place, 'it is not YAML that can be read', { cause: error });
  }
}

interface Section {
  /** Dotted key of what is being read. */
  key: string;
  home: string;
  entries: Map<string, LevelEntry>;
}

function readSection(parsed: ParsedFile, pair: Pair, section: Section): void {
  for (const child of pairsOf(parsed, pair.value, section.key)) {
    const key = `${section.key}.${keyOf(child)}`;
    if (/^remote\.[^.]*$/.test(key)) {
      checkRemoteName(parsed, child, key);
      readSection(parsed, child, { ...section, key });
      continue;
    }
    const known = lookUp(key);
    if (!known) throw unknownKey(parsed, child, key);
    section.entries.set(key, readEntry(parsed, child, { known, home: section.home }));
  }
}

function readEntry(parsed: ParsedFile, pair: Pair, options: { known: KnownKey; home: string }): LevelEntry {
  const { known, home } = options;
  const place = parsed.placeOf(pair.key);
  const text = textOf(pair.value, known);
  if (text === undefined) {
    throw invalid(place, `'${known.key}' has no value that can be read`, {
      hint: `it must be ${known.setting.kind.describe}`,
    });
  }
  const value = parseValue(known, text, { place, home });
  checkLevel(known, value, { place, level: parsed.file.level });
  return { known, value, place };
}

function textOf(node: unknown, known: KnownKey): string | undefined {
  if (!isSeq(node)) return scalarText(node);
  if (!known.setting.kind.list) return undefined;
  const items = node.items.map(scalarText);
  return items.includes(undefined) ? undefined : items.join(',');
}

/** A scalar as its author wrote it: `007` stays `007`, whatever YAML makes of it. */
function scalarText(node: unknown): string | undefined {
  if (!isScalar(node) || node.value === null) return undefined;
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}

function pairsOf(parsed: ParsedFile, node: unknown, key: string): Pair[] {
  if (isMap(node)) return node.items;
  if (node === null || isEmpty(node)) return [];
  const what = isAlias(node) ? 'is an alias, which is not supported here' : 'must hold keys and values';
  throw invalid(parsed.placeOf(node), `'${key}' ${what}`);
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function isEmpty(node: unknown): boolean {
  return isScalar(node) && node.value === null;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

function unknownKey(parsed: ParsedFile, pair: Pair, key: string): MlvError {
  const hint = key.includes('.') ? suggestion(key) : { hint: `the sections are: ${SECTIONS.join(', ')}` };
  return invalid(parsed.placeOf(pair.key), `'${key}' is not a setting of mlv`, { ...hint, data: { key } });
}

function checkRemoteName(parsed: ParsedFile, pair: Pair, key: string): void {
  if (lookUp(`${key}.url`)) return;
  throw invalid(parsed.placeOf(pair.key), `'${keyOf(pair)}' cannot be the name of a remote`, {
    hint: "a name is up to 64 letters, digits, '-' and '_', beginning with a letter or digit",
    data: { key },
  });
}

function checkFormat(parsed: ParsedFile): void {
  const found = topLevelText(parsed, 'mlv');
  if (!found) return;
  const format = /^\d+$/.test(found.text) ? Number(found.text) : 0;
  if (format < 1)
    throw invalid(found.place, `'${found.text}' is not a format number`, { hint: `write \`mlv: ${FORMAT}\`` });
  if (format <= FORMAT) return;
  throw new MlvError(
    'FORMAT_TOO_NEW',
    `${found.place.where}: the repository uses format ${format}, this mlv reads ${FORMAT}`,
    {
      hint: 'install a newer version of mlv',
      data: { file: parsed.file.path, format, supported: FORMAT },
    },
  );
}
