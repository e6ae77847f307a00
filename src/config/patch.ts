import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isNode, isScalar, type Node, type Pair, stringify, type YAMLMap } from 'yaml';
import { parseYamlDocument } from '../core/read-yaml.js';

/**
 * The text of a YAML file with one value set, every other byte as it was; undefined where the file is not written plainly
 * enough for that (flow style around the key, tags, …). The result is a proposal: see saysTheSame.
 */
export function patchedValue(
  text: string,
  document: Document,
  target: { path: string[]; value: unknown },
): string | undefined {
  const { path, value } = target;
  if (document.contents === null) return text + (text === '' ? '' : '\n') + block(path, value, 0);
  let map = document.contents;
  for (const [depth, part] of path.entries()) {
    if (!isBlockMap(map)) return undefined;
    const indent = indentOf(text, map);
    const pair = pairOf(map, part);
    if (indent === undefined) return undefined;
    if (!pair) return insert(text, endOfLine(text, endOf(map)), block(path.slice(depth), value, indent));
    const { value: node } = pair;
    if (depth === path.length - 1) return replaceInline(text, node, inline(value));
    if (isNothingWritten(node))
      return insert(text, endOfLine(text, endOf(pair)), block(path.slice(depth + 1), value, indent + 2));
    if (!isNode(node)) return undefined;
    map = node;
  }
  return undefined;
}

/** The text of a YAML file without one key, or without the highest section that it leaves empty; otherwise as patchedValue. */
export function patchedWithout(text: string, document: Document, path: string[]): string | undefined {
  let map: unknown = document.contents;
  let doomed: Pair | undefined;
  for (const part of path) {
    if (!isBlockMap(map)) return undefined;
    const pair = pairOf(map, part);
    if (!pair || indentOf(text, map) === undefined) return undefined;
    if (doomed === undefined || map.items.length > 1) doomed = pair;
    map = pair.value;
  }
  const start = doomed && isScalar(doomed.key) ? lineStart(text, doomed.key.range?.[0] ?? 0) : undefined;
  if (start === undefined) return undefined;
  return text.slice(0, start) + text.slice(endOfLine(text, endOf(doomed)));
}

/** True when a text holds exactly what a document holds, comments and notation aside. */
export function saysTheSame(text: string, document: Document): boolean {
  try {
    const parsed = parseYamlDocument(text, { prettyErrors: false, stringKeys: true, logLevel: 'error' });
    return parsed.errors.length === 0 && isDeepStrictEqual(parsed.toJS() ?? {}, document.toJS() ?? {});
  } catch {
    // More aliases than the library follows.
    return false;
  }
}

type Range = readonly [number, number, number];

function isBlockMap(node: unknown): node is YAMLMap {
  return isMap(node) && node.flow !== true && node.items.length > 0;
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

/** Columns before the keys of a block map; undefined unless every key begins its line. */
function indentOf(text: string, map: YAMLMap): number | undefined {
  const starts = map.items.map((pair) => (isScalar(pair.key) ? (pair.key.range?.[0] ?? -1) : -1));
  const [first = -1] = starts;
  if (starts.some((start) => start < 0 || text.slice(lineStart(text, start), start).trim() !== '')) return undefined;
  return first - lineStart(text, first);
}

/** Where a node, or a pair, has its last character. */
function endOf(item: unknown): number {
  if (isMap(item) && item.flow !== true && item.items.length > 0) return endOf(item.items.at(-1));
  if (isNode(item)) return (item.range as Range | null | undefined)?.[1] ?? -1;
  const { key, value } = item as Pair;
  return endOf(value ?? key);
}

function lineStart(text: string, offset: number): number {
  return offset <= 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

/** The offset behind the newline that ends the line of the character before `offset`. */
function endOfLine(text: string, offset: number): number {
  if (text[offset - 1] === '\n') return offset;
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end + 1;
}

function insert(text: string, offset: number, lines: string): string {
  const before = text.slice(0, offset);
  return `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${lines}${text.slice(offset)}`;
}

function replaceInline(text: string, node: unknown, written: string): string | undefined {
  const range = isNode(node) ? ((node as Node).range as Range | null | undefined) : undefined;
  if (!range || text.slice(range[0], range[1]).includes('\n')) return undefined;
  // `key:` without a value has no space behind its colon.
  const space = range[0] > 0 && text[range[0] - 1] === ':' ? ' ' : '';
  return text.slice(0, range[0]) + space + written + text.slice(range[1]);
}

function isNothingWritten(node: unknown): boolean {
  return isScalar(node) && node.value === null && node.range?.[0] === node.range?.[1];
}

function block(path: readonly string[], value: unknown, indent: number): string {
  const line = (part: string, depth: number): string => `${' '.repeat(indent + 2 * depth)}${inline(part)}:`;
  return `${path.map(line).join('\n')} ${inline(value)}\n`;
}

function inline(value: unknown): string {
  return stringify(value, { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false }).trimEnd();
}
