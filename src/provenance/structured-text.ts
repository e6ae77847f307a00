import { isMlvError, MlvError } from '../core/errors.js';
import { isMapping, type PlainValue } from './dotted-names.js';

/** What a file of parameters or metrics is written in. */
export type TextFormat = 'yaml' | 'json' | 'toml' | 'python' | 'csv' | 'tsv';

/** By the end of a file's name, in lower case. */
const FORMATS: Readonly<Record<string, TextFormat>> = {
  yaml: 'yaml',
  yml: 'yaml',
  json: 'json',
  toml: 'toml',
  py: 'python',
  csv: 'csv',
  tsv: 'tsv',
};

/** Aliases that a YAML file may use; what they expand to is bounded by whoever walks the result. */
const MAX_ALIASES = 100;

/** The format that a file's name says; undefined where it says none that is read. */
export function formatOf(path: string): TextFormat | undefined {
  const ending = /\.([^./\\]+)$/.exec(path)?.[1];
  return ending === undefined ? undefined : FORMATS[ending.toLowerCase()];
}

/** Longest text by format, in characters: what is parsed takes many times the room, YAML most of all. */
const LONGEST = { yaml: 1024 ** 2, json: 4 * 1024 ** 2, toml: 4 * 1024 ** 2 };

/** Who asks, for the errors. */
export interface Asker {
  /** Path of the file, for messages. */
  file: string;
  code: 'PARAMS_INVALID' | 'METRICS_INVALID';
}

/** The error for a file of parameters or metrics that cannot be read. */
export function invalidText({ file, code }: Asker, reason: string, cause?: unknown): MlvError {
  const what = code === 'PARAMS_INVALID' ? 'parameters' : 'metrics';
  return new MlvError(code, `cannot read ${what} from '${file}': ${reason}`, {
    data: { path: file },
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * Reads YAML, JSON or TOML that holds a mapping. Whole numbers that no JavaScript number holds come as bigints (of
 * JSON as text, and for metrics rounded), `NaN` and `Infinity` in JSON as text, dates as dates or text. An empty file is an empty mapping.
 * Errors: the asker's code, with line and column where the parser tells them.
 */
export async function parseStructured(
  text: string,
  format: 'yaml' | 'json' | 'toml',
  asker: Asker,
): Promise<PlainValue> {
  if (text.trim() === '') return new Map();
  if (text.length > LONGEST[format]) {
    throw invalidText(asker, `it is larger than ${LONGEST[format] / 1024 ** 2} MiB, as ${format.toUpperCase()}`);
  }
  const plain = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  try {
    const value = await parseAs(plain, format, asker);
    if (value === null) return new Map();
    if (!isMapping(value)) throw invalidText(asker, 'it holds no names: the whole file is one value or a list');
    return value;
  } catch (error) {
    if (isMlvError(error)) throw error;
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw invalidText(asker, `it is not valid ${format.toUpperCase()}: ${reason}`, error);
  }
}

async function parseAs(text: string, format: 'yaml' | 'json' | 'toml', asker: Asker): Promise<PlainValue> {
  if (format === 'json') return parseJson(text, asker);
  if (format === 'yaml') return parseYaml(text, asker);
  const { parse } = await import('smol-toml');
  return parse(text, { integersAsBigInt: 'asNeeded' });
}

async function parseYaml(text: string, asker: Asker): Promise<PlainValue> {
  const { parseYamlDocument, yamlReason } = await import('../core/read-yaml.js');
  const options = { schema: 'core', merge: true, intAsBigInt: true, logLevel: 'error' } as const;
  const document = parseYamlDocument(text, options);
  const error = document.errors[0];
  if (error) {
    const { line, col } = error.linePos?.[0] ?? { line: 1, col: 1 };
    throw invalidText(asker, `line ${line}, column ${col}: ${yamlReason(error)}`);
  }
  return document.toJS({ maxAliasCount: MAX_ALIASES, mapAsMap: true });
}

/** A string that does not end takes the rest of the text with it, so that no text is looked at twice. */
const JSON_TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|$)|-?(?:NaN|Infinity)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

/** Python writes NaN and Infinity, which JSON does not know, and whole numbers that JavaScript would round. */
function parseJson(text: string, { code }: Asker): PlainValue {
  const exact = code === 'PARAMS_INVALID';
  const isText = (token: string): boolean => /^-?[NI]/.test(token) || (exact && isBeyondNumbers(token));
  const quoted = text.replace(JSON_TOKEN, (token) => (isText(token) ? `"${token}"` : token));
  return JSON.parse(quoted) as PlainValue;
}

function isBeyondNumbers(token: string): boolean {
  return /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token));
}
