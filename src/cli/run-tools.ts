import { join } from 'node:path';
import { probeEnvironment } from '../provenance/probe-environment.js';
import type { RunTools } from '../provenance/run.js';
import { type CommandOptions, runCommand } from '../provenance/run-command.js';
import type { OpenRepository } from './context.js';
import type { Session } from './session.js';
import { isInForeground } from './terminal.js';
import type { VerbInput } from './verb.js';

/** What runs of this session need of the world; `output` is where the output of commands goes. */
export function runTools(
  session: Session,
  repository: OpenRepository,
  { options, output }: { options: VerbInput['options']; output?: CommandOptions['output'] },
): RunTools {
  const { env, signal, reporter, globals, divertSignals } = session;
  const top = repository.layout.worktree;
  return {
    env,
    signal,
    reporter,
    ...(typeof options.stage === 'boolean' && { stage: options.stage }),
    now: () => new Date(),
    probe: (where) => probeEnvironment({ ...where, top, virtualEnvironment: join(top, '.venv') }),
    execute: (command, where) =>
      runCommand(command, {
        ...where,
        output: output ?? (globals.json ? 'error' : 'inherit'),
        onSignals: divertSignals,
        sharesTerminal: isInForeground(),
      }),
  };
}
