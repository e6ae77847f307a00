import {
  type Document,
  type DocumentOptions,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type ParseOptions,
  parseDocument,
  type SchemaOptions,
  type YAMLError,
  YAMLParseError,
} from 'yaml';

/** Thrown by readYamlMapping: why a text cannot be read. Callers turn it into an error of their own. */
export class YamlProblem extends Error {}

/** What is wrong with a text, for a message: the parser names too deep nesting as it names its own stack. */
export function yamlReason({ code }: YAMLError): string {
  return code === 'RESOURCE_EXHAUSTION' ? 'it is nested too deeply' : `it is not valid YAML (${code})`;
}

/**
 * The library's parseDocument, which compares every key of a mapping with all before it, in a time that follows the
 * text's length: a key that stands twice is found here, and is an error of the document as it is there.
 */
export function parseYamlDocument(
  text: string,
  options: ParseOptions & DocumentOptions & SchemaOptions,
): Document.Parsed {
  const lineCounter = options.lineCounter ?? new LineCounter();
  const document = parseDocument(text, { ...options, lineCounter, uniqueKeys: false });
  if (options.uniqueKeys === false || document.errors.length > 0) return document;
  const range = repeatedKey(document.contents);
  if (!range) return document;
  const error = new YAMLParseError([range[0], range[1]], 'DUPLICATE_KEY', 'Map keys must be unique');
  error.linePos = [lineCounter.linePos(range[0])];
  document.errors.push(error);
  return document;
}

type Range = readonly [number, number, number];

/** Where the first key stands that its mapping has already, of one of the nodes below; undefined where none does. */
function repeatedKey(contents: unknown): Range | undefined {
  let found: Range | undefined;
  const waiting: unknown[] = [contents];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (isPair(node)) waiting.push(node.key, node.value);
    else if (isSeq(node)) for (const item of node.items) waiting.push(item);
    if (!isMap(node)) continue;
    const keys = new Set<unknown>();
    for (const { key, value } of node.items) {
      const range = isScalar(key) ? (key.range ?? undefined) : undefined;
      if (isScalar(key) && keys.has(key.value) && range && !(found && found[0] < range[0])) found = range;
      if (isScalar(key)) keys.add(key.value);
      waiting.push(key, value);
    }
  }
  return found;
}

/**
 * Reads any YAML 1.2 text that is one mapping. Aliases are refused (they may expand without end), and so are keys that
 * stand twice and a text above `limit` characters. Error: YamlProblem, with the reason as its message.
 */
export function readYamlMapping(text: string, limit: number): Record<string, unknown> {
  if (text.length > limit) throw new YamlProblem(`it is longer than ${limit} characters`);
  try {
    const document = parseYamlDocument(text, { schema: 'core', logLevel: 'error' });
    const error = document.errors[0];
    if (error) throw new YamlProblem(`line ${error.linePos?.[0].line ?? 1}: ${yamlReason(error)}`);
    if (!isMap(document.contents)) throw new YamlProblem('it is not a YAML mapping');
    return document.toJS({ maxAliasCount: 0 }) as Record<string, unknown>;
  } catch (cause) {
    if (cause instanceof YamlProblem) throw cause;
    // The parser raises errors of its own for aliases and for deep nesting.
    throw new YamlProblem('it holds YAML aliases, or is nested too deeply', { cause });
  }
}
