import type { CommanderError } from 'commander';
import { MlvError } from '../core/errors.js';
import type { CalledVerb } from './called-verb.js';
import { meantByExcess, meantCommand, meantOption } from './synonyms.js';

/** `USAGE` for what commander refused, with the word that was meant, or how the verb is used, as its hint. */
export function usageError(error: CommanderError, called: CalledVerb): MlvError {
  if (error.code === 'commander.help') {
    return new MlvError('USAGE', 'a verb is missing', { hint: howItIsUsed(called) });
  }
  const [reason = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const near = /Did you mean (.*)\?\)$/.exec(suggestion ?? '')?.[1];
  const meant = meantBy(error, reason, called) ?? near;
  return new MlvError('USAGE', reason, { hint: meant === undefined ? howItIsUsed(called) : `did you mean ${meant}?` });
}

function howItIsUsed({ words, command }: CalledVerb): string {
  if (words.length === 0) return 'the verbs are in: mlv help';
  const name = ['mlv', ...words].join(' ');
  if (command.commands.length > 0) {
    return `the verbs are: ${command.commands.map((inner) => `${name} ${inner.name()}`).join(', ')}`;
  }
  // Options that belong to the command that is run are the ones that a run is most often refused for.
  if (words[0] === 'run') return 'what belongs to the command stands behind --: mlv run -o <path> -- <command...>';
  const operands = command.usage().replace('[options]', '').trim();
  return `how it is used: ${`${name} ${operands}`.trim()}   (options and examples: mlv help ${words.join(' ')})`;
}

/** What mlv calls a word that it does not know here. */
function meantBy({ code }: CommanderError, reason: string, { words, command }: CalledVerb): string | undefined {
  if (code === 'commander.excessArguments') return meantByExcess(words.join(' '));
  const word = /'([^']*)'/.exec(reason)?.[1] ?? '';
  const instead = meantCommand([...words, word].join(' '));
  if (instead !== undefined) return instead;
  // `mlv config core.jobs`, and `mlv config core.jobs 4`, as with git.
  if (words.join(' ') === 'config' && /^[a-z]+\./.test(word)) {
    return `mlv config get ${word}, or mlv config set ${word} <value>`;
  }
  const options = [...command.options, ...(command.parent?.options ?? [])];
  return meantOption(
    word,
    options.flatMap(({ long, short }) => [long ?? [], short ?? []].flat()),
  );
}
