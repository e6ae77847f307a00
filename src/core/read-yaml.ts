import { isMap, parseDocument } from 'yaml';

/** Thrown by readYamlMapping: why a text cannot be read. Callers turn it into an error of their own. */
export class YamlProblem extends Error {}

/**
 * Reads any YAML 1.2 text that is one mapping. Aliases are refused (they may expand without end), and so are keys that
 * stand twice and a text above `limit` characters. Error: YamlProblem, with the reason as its message.
 */
export function readYamlMapping(text: string, limit: number): Record<string, unknown> {
  if (text.length > limit) throw new YamlProblem(`it is longer than ${limit} characters`);
  try {
    const document = parseDocument(text, { schema: 'core', uniqueKeys: true, logLevel: 'error' });
    const error = document.errors[0];
    if (error) throw new YamlProblem(`line ${error.linePos?.[0].line ?? 1}: it is not valid YAML (${error.code})`);
    if (!isMap(document.contents)) throw new YamlProblem('it is not a YAML mapping');
    return document.toJS({ maxAliasCount: 0 }) as Record<string, unknown>;
  } catch (cause) {
    if (cause instanceof YamlProblem) throw cause;
    // The parser raises errors of its own for aliases and for deep nesting.
    throw new YamlProblem('it holds YAML aliases, or is nested too deeply', { cause });
  }
}
