import type { Command } from 'commander';
import { FIXED } from '../../config/settings.js';
import { takesRegistryWords } from './operand.js';

/** One option as a shell completes it. */
export interface CompletedOption {
  short: string | undefined;
  long: string | undefined;
  description: string;
  /** True when the next word is its value. */
  takesValue: boolean;
  choices: readonly string[];
}

/** One verb, or a verb below one, as a shell completes it. */
export interface CompletedVerb {
  /** Words that lead to it, such as `remote add`; empty for the program itself. */
  path: string;
  verbs: { name: string; summary: string }[];
  options: CompletedOption[];
  /** Words that an operand may be; where there are none, operands are paths if `files` is set. */
  words: readonly string[];
  files: boolean;
  /** True where operands are models, versions or stages, which `mlv complete` tells. */
  registry: boolean;
}

const SETTINGS = Object.keys(FIXED);
const WORDS: Record<string, readonly string[]> = {
  completion: ['bash', 'zsh', 'fish'],
  'config get': SETTINGS,
  'config set': SETTINGS,
  'config unset': SETTINGS,
};

/** The program and every verb in it, from its declarations; the options of the program count for every verb. */
export function completionTree(program: Command): CompletedVerb[] {
  const common = optionsOf(program);
  const found: CompletedVerb[] = [];
  const shown = (command: Command): Command[] => command.createHelp().visibleCommands(command);
  const visit = (command: Command, path: string): void => {
    const verbs = shown(command).map((each) => ({ name: each.name(), summary: each.summary() }));
    const words = path === 'help' ? shown(program).map((each) => each.name()) : (WORDS[path] ?? []);
    const own = command === program ? [] : optionsOf(command);
    const registry = takesRegistryWords(command);
    const files = words.length === 0 && command.registeredArguments.length > 0 && !registry;
    found.push({ path, verbs, options: [...own, ...common], words, files, registry });
    for (const each of shown(command)) visit(each, path === '' ? each.name() : `${path} ${each.name()}`);
  };
  visit(program, '');
  return found;
}

function optionsOf(command: Command): CompletedOption[] {
  const options = command.options.map(({ short, long, description, required, optional, argChoices }) => ({
    short,
    long,
    description,
    takesValue: required || optional,
    choices: argChoices ?? [],
  }));
  return command.parent === null ? [...options, HELP] : options;
}

const HELP: CompletedOption = { short: '-h', long: '--help', description: 'show help', takesValue: false, choices: [] };

/** The options of every verb that take a value: the word behind them is no verb. */
export function valueOptions(tree: readonly CompletedVerb[]): string[] {
  const names = tree.flatMap(({ options }) =>
    options.filter(({ takesValue }) => takesValue).flatMap(({ short, long }) => [short, long]),
  );
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}
