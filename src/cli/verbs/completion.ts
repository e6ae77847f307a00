import { MlvError } from '../../core/errors.js';
import { bashCompletion } from '../completion/bash.js';
import { fishCompletion } from '../completion/fish.js';
import { completionTree } from '../completion/tree.js';
import { zshCompletion } from '../completion/zsh.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `mlv completion`: see its declaration. Error: `USAGE` for another shell. */
export function run(_session: Session, { args: [shell = ''], program }: VerbInput): Result {
  if (!Object.hasOwn(SHELLS, shell)) {
    throw new MlvError('USAGE', `there is no completion for '${shell}'`, { hint: 'the shells are: bash, zsh, fish' });
  }
  const script = SHELLS[shell as keyof typeof SHELLS](completionTree(program()));
  return { text: [script.trimEnd()], json: { shell, script } };
}
