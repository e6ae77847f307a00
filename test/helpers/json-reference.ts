import { z } from 'zod';
import { errorSchema, jsonSchemas } from './json-schemas.js';

/** docs/json.md: a table of fields for the `--json` document of every verb. */
export function jsonReference(): string {
  const parts = [
    '# What `--json` prints',
    '',
    'Made from the schemas that the tests check real output against (`test/helpers/json-schemas.ts`):',
    '`npx vitest run test/unit/cli-documents.test.ts -u` writes it anew.',
    '',
    'With `--json`, standard output holds exactly one JSON document, whatever happens; messages for people stay on',
    'standard error. A command that fails has the key `error` in its document, beside what it found or did until then; the',
    'exit code is the one of that error. Keys may be added in later versions; none is removed or changes its meaning',
    'within a major version. Sizes are bytes, paths are relative to the top of the working tree.',
    '',
    '`a[].b` is the field `b` of every item of the list `a`. `?` marks a field that may be absent.',
    '',
    '## error',
    '',
    ...table(z.toJSONSchema(z.strictObject({ error: errorSchema })) as Schema),
  ];
  for (const [verb, schema] of Object.entries(jsonSchemas)) {
    parts.push('', `## mlv ${verb}`, '', ...table(z.toJSONSchema(schema) as Schema));
  }
  return `${parts.join('\n')}\n`;
}

interface Schema {
  type?: string;
  description?: string;
  enum?: string[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
}

function table(schema: Schema): string[] {
  return ['| field | type | meaning |', '| --- | --- | --- |', ...rows(schema, '')];
}

function rows(schema: Schema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const optional = schema.required?.includes(key) ? '' : '?';
    const own = `| \`${prefix}${key}\`${optional} | ${typeOf(value)} | ${value.description ?? ''} |`;
    // The fields of an error are told once.
    if (isError(value) && prefix + key !== 'error') return [own];
    if (isError(value.items)) return [own];
    return [own, ...rows(value, `${prefix}${key}.`), ...rows(value.items ?? {}, `${prefix}${key}[].`)];
  });
}

function typeOf(schema: Schema): string {
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.enum && schema.enum.length <= 10) return schema.enum.map((each) => `\`${each}\``).join(', ');
  if (isError(schema)) return 'error';
  if (schema.type === 'array')
    return isError(schema.items) ? 'list of errors' : `list of ${typeOf(schema.items ?? {})}s`;
  return schema.type ?? 'any';
}

function isError(schema: Schema | undefined): boolean {
  const keys = Object.keys(schema?.properties ?? {});
  return keys.length === 4 && ['code', 'message', 'hint', 'data'].every((key) => keys.includes(key));
}
