import type { Command } from 'commander';

/** The verb that a command line names, as far as it is understood. */
export interface CalledVerb {
  /** Such as `remote` and `add`; none where it names no verb. */
  words: string[];
  command: Command;
}

/** Finds the verb that a command line without the program's name calls, among those of a program. */
export function calledVerb(argv: readonly string[], program: Command): CalledVerb {
  const words: string[] = [];
  let command = program;
  for (const [position, word] of argv.entries()) {
    if (word.startsWith('-') || /^-[Cc]$/.test(argv[position - 1] ?? '')) continue;
    const inner = command.commands.find((each) => each.name() === word);
    if (!inner) break;
    words.push(word);
    command = inner;
  }
  return { words, command };
}
