import { MlvError } from '../../core/errors.js';

const ESCAPES: Record<string, string> = { '\\n': '\n', '\\t': '\t', '\\\\': '\\', '{{': '{', '}}': '}' };

/**
 * Fills a format such as `{model}-{version}` or `{artifacts.oid}` with the fields of a document. A list gives each of its
 * items on a line, or the one with that number (`{artifacts.0.oid}`). `\n`, `\t` and `\\` are what they are elsewhere, `{{`
 * is a brace. Error: `USAGE` for a field that the document has not.
 */
export function formatFields(format: string, document: Readonly<Record<string, unknown>>): string {
  return format.replace(/\\[nt\\]|\{\{|\}\}|\{([^{}]*)\}/g, (written, path: string | undefined) => {
    if (path === undefined) return ESCAPES[written] ?? written;
    const value = fieldOf(document, path);
    if (value === undefined) throw unknownField(path, document);
    return textOf(value);
  });
}

/** The value at a dotted path; names may hold dots themselves, and the longest name wins. */
export function fieldOf(value: unknown, path: string | undefined): unknown {
  if (path === undefined) return value;
  if (Array.isArray(value)) return inList(value, path);
  if (typeof value !== 'object' || value === null) return undefined;
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const name = path.slice(0, end);
    if (!Object.hasOwn(value, name)) continue;
    const found = fieldOf(
      (value as Record<string, unknown>)[name],
      end < path.length ? path.slice(end + 1) : undefined,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

function inList(list: readonly unknown[], path: string): unknown {
  const [, index, rest] = /^(\d+)(?:\.(.*))?$/.exec(path) ?? [];
  if (index !== undefined) return fieldOf(list[Number(index)], rest);
  const found = list.map((item) => fieldOf(item, path)).filter((each) => each !== undefined);
  return list.length > 0 && found.length === 0 ? undefined : found;
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join('\n');
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

function unknownField(path: string, document: Readonly<Record<string, unknown>>): MlvError {
  return new MlvError('USAGE', `there is no field '${path}'`, {
    hint: `the fields are: ${Object.keys(document).join(', ')} (--json shows what is in them)`,
    data: { field: path },
  });
}
