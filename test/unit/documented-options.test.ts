import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/program.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DOCUMENTS = [
  'README.md',
  ...readdirSync(`${ROOT}docs`)
    .filter((name) => name.endsWith('.md') && name !== 'benchmarks.md')
    .map((name) => `docs/${name}`),
];
const program = buildProgram();

function optionsOf(command: Command): string[] {
  return command.options.flatMap(({ long, short }) => [long, short].filter((flag) => flag != null));
}

/** Options that a command line gives to mlv, and that the verb it calls does not have. */
function unknownOptions(words: readonly string[]): string[] {
  let command = program;
  const known = [...optionsOf(program), '--help', '-h'];
  for (const word of words) {
    if (word === '--') break;
    const inner = command.commands.find((each) => each.name() === word);
    if (!inner) continue;
    command = inner;
    known.push(...optionsOf(inner));
  }
  const given = words.slice(0, words.includes('--') ? words.indexOf('--') : words.length);
  return given.flatMap((word) => /^--[a-z][a-z-]*/.exec(word) ?? []).filter((flag) => !known.includes(flag));
}

/** What stands in code, in a fence or between backticks, and begins with `mlv`, up to what a shell takes for itself. */
function commandLines(text: string): string[] {
  const fenced = [...text.matchAll(/^\s*```\w*\n([\s\S]*?)^\s*```/gm)].flatMap(([, body = '']) => body.split('\n'));
  const spans = [...text.replaceAll(/^\s*```[\s\S]*?^\s*```/gm, '').matchAll(/`([^`]+)`/g)].map(
    ([, code = '']) => code,
  );
  return [...fenced, ...spans].flatMap((line) => line.match(/(?:^|(?<=[\s($"]))mlv [^|#;&)]*/g) ?? []);
}

describe('the documents', () => {
  it.each(DOCUMENTS)('%s gives every command only options that it has', (path) => {
    const lines = commandLines(readFileSync(`${ROOT}${path}`, 'utf8'));
    const wrong = lines.filter((line) => unknownOptions(line.split(/\s+/).slice(1)).length > 0);
    expect(wrong).toEqual([]);
  });

  it('name no option that no verb has', () => {
    const all = new Set(['--help', ...optionsOf(program)]);
    const add = (command: Command): void => {
      for (const flag of optionsOf(command)) all.add(flag);
      for (const inner of command.commands) add(inner);
    };
    add(program);
    const wrong = DOCUMENTS.flatMap((path) =>
      [...readFileSync(`${ROOT}${path}`, 'utf8').matchAll(/`(--[a-z][a-z-]*)[^`]*`/g)]
        .map(([, flag = '']) => flag)
        .filter((flag) => !all.has(flag))
        .map((flag) => `${path}: ${flag}`),
    );
    // Of Git.
    expect(wrong).toEqual(['docs/hooks.md: --no-verify', 'docs/other-repositories.md: --depth']);
  });
});
