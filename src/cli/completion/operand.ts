import type { Command } from 'commander';

/** What a word of the registry may be. */
export type RegistryWord = 'model' | 'reference' | 'stage';

const KINDS: Readonly<Record<string, RegistryWord>> = {
  model: 'model',
  reference: 'reference',
  references: 'reference',
  stage: 'stage',
};

/** True for a verb of which some operand is a word of the registry. */
export function takesRegistryWords(command: Command): boolean {
  return command.registeredArguments.some((argument) => Object.hasOwn(KINDS, argument.name()));
}

/**
 * What the last word of a command line, `mlv` and all, may be, and the word as far as it was typed. Undefined where it is
 * no word of the registry. Quotes in the line are not understood.
 */
export function registryOperand(program: Command, line: string): { kind: RegistryWord; typed: string } | undefined {
  const words = line.trimStart().split(/\s+/).slice(1);
  const typed = words.pop() ?? '';
  let command = program;
  let operands = 0;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as string;
    if (word === '--') return undefined;
    if (word.startsWith('-')) {
      if (takesValue(program, command, word)) index += 1;
      continue;
    }
    const inner = operands === 0 ? command.commands.find((each) => each.name() === word) : undefined;
    if (inner) command = inner;
    else operands += 1;
  }
  const names = command.registeredArguments;
  const argument = names[operands] ?? (names.at(-1)?.variadic ? names.at(-1) : undefined);
  const name = argument?.name() ?? '';
  return typed.startsWith('-') || !Object.hasOwn(KINDS, name)
    ? undefined
    : { kind: KINDS[name] as RegistryWord, typed };
}

function takesValue(program: Command, command: Command, word: string): boolean {
  const option = [...command.options, ...program.options].find(({ short, long }) => short === word || long === word);
  return option?.required === true;
}
