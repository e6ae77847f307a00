import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildProgram, VERB_GROUPS } from '../../src/cli/program.js';
import { meantCommand } from '../../src/cli/synonyms.js';
import type { VerbDeclaration } from '../../src/cli/verb.js';
import { ERROR_CODES, EXIT } from '../../src/core/errors.js';
import { commandReference } from '../helpers/command-reference.js';
import { jsonReference } from '../helpers/json-reference.js';
import { jsonSchemas } from '../helpers/json-schemas.js';

const verbs = VERB_GROUPS.flatMap((group) => group.verbs).filter(({ hidden }) => !hidden);

function leaves(verb: VerbDeclaration, prefix = ''): { name: string; verb: VerbDeclaration }[] {
  const name = `${prefix}${verb.usage.split(' ')[0]}`;
  const inner = (verb.verbs ?? []).flatMap((each) => leaves(each, `${name} `));
  return verb.verbs && !verb.load ? inner : [{ name, verb }, ...inner];
}

const all = verbs.flatMap((verb) => leaves(verb));

describe('the documents of the command line', () => {
  it('docs/commands.md says what the help says', async () => {
    await expect(commandReference(buildProgram())).toMatchFileSnapshot('../../docs/commands.md');
  });

  it('docs/json.md says what the schemas say', async () => {
    await expect(jsonReference()).toMatchFileSnapshot('../../docs/json.md');
  });

  it('no verb is taken for a word of another tool', () => {
    expect(all.filter(({ name }) => meantCommand(name) !== undefined).map(({ name }) => name)).toEqual([]);
  });

  it('every verb has an example, and a schema unless it prints bytes or scripts', () => {
    expect(all.filter(({ verb }) => (verb.examples ?? []).length === 0).map(({ name }) => name)).toEqual([]);
    const withoutSchema = all.filter(({ name }) => !Object.hasOwn(jsonSchemas, name)).map(({ name }) => name);
    expect(withoutSchema).toEqual(['cat', 'completion', 'help']);
  });

  it('every example is a command line that the program understands', async () => {
    const { parseCommandLine } = await import('../../src/cli/program.js');
    const words = (command: string): string[] =>
      (command.split(/ [|>] /)[0] as string).match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? [];
    for (const { name, verb } of all) {
      for (const [command] of verb.examples ?? []) {
        if (command.startsWith('source ')) continue;
        const [program, ...args] = words(command);
        expect(program).toBe('mlv');
        const parsed = await parseCommandLine(args);
        expect('declaration' in parsed ? leafOf(parsed.declaration) : 'help', command).toBe(leafOf(verb, name));
      }
    }
  });

  it('docs/exit-codes.md names every exit code and every error code with its exit code', () => {
    const text = readFileSync(new URL('../../docs/exit-codes.md', import.meta.url), 'utf8');
    const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| (\d+) \| (.+) \|$/gm)];
    const documented = Object.fromEntries(rows.map(([, code, exit]) => [code, Number(exit)]));
    expect(documented).toEqual(ERROR_CODES);
    const exits = [...text.matchAll(/^\| (\d+) \| /gm)].map(([, exit]) => Number(exit));
    expect(exits).toEqual(Object.values(EXIT));
  });
});

function leafOf(verb: VerbDeclaration, name = ''): string {
  return name === 'help' ? 'help' : verb.summary;
}
