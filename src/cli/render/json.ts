/** The JSON form of an error. */
export interface ErrorDocument {
  code: string;
  message: string;
  hint?: string;
  data: Record<string, unknown>;
}

/**
 * The pieces of one JSON document, ending in a newline. Generators among the values are written as arrays, item by item.
 * When one of them fails, its array is closed and the document ends with the key `error`, so that what comes out is
 * always one valid document; the error is raised after that.
 */
export function* jsonDocument(
  document: Record<string, unknown>,
  describe: (error: unknown) => ErrorDocument,
): Generator<string> {
  const keys = Object.keys(document).filter((key) => document[key] !== undefined);
  let separator = '';
  let failure: { error: unknown } | undefined;
  yield '{';
  for (const key of keys) {
    yield `${separator}\n  ${JSON.stringify(key)}: `;
    separator = ',';
    const value = document[key];
    if (!isGenerator(value)) yield indented(value);
    else failure = yield* arrayOf(value);
    if (failure) break;
  }
  if (failure) yield `${separator}\n  "error": ${indented(describe(failure.error))}`;
  yield separator === '' ? '}\n' : '\n}\n';
  if (failure) throw failure.error;
}

function* arrayOf(items: Iterable<unknown>): Generator<string, { error: unknown } | undefined> {
  let count = 0;
  yield '[';
  try {
    for (const item of items) yield `${count++ === 0 ? '' : ','}\n    ${line(item)}`;
  } catch (error) {
    yield count === 0 ? ']' : '\n  ]';
    return { error };
  }
  yield count === 0 ? ']' : '\n  ]';
  return undefined;
}

function isGenerator(value: unknown): value is Generator<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && 'next' in value;
}

function indented(value: unknown): string {
  return escaped(JSON.stringify(value, null, 2)).replaceAll('\n', '\n  ');
}

function line(value: unknown): string {
  return escaped(JSON.stringify(value));
}

/** JSON leaves DEL and the control characters of Latin-1 as they are, which a terminal acts on. */
function escaped(json: string): string {
  return json.replace(/[\u007f-\u009f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}
