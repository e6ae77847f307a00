import { join } from 'node:path';
import type { Environment } from '../provenance/environment.js';
import { probeEnvironment } from '../provenance/probe-environment.js';
import type { RunTools } from '../provenance/run.js';
import { type CommandOptions, runCommand } from '../provenance/run-command.js';
import { cacheMoved, movedTo } from '../workspace/cache-moved.js';
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
  // The machine is the same for all commands of one call.
  const probed = new Map<string, Promise<Environment>>();
  return {
    env,
    signal,
    reporter,
    ...(typeof options.stage === 'boolean' && { stage: options.stage }),
    now: () => new Date(),
    probe: (where) => {
      const key = JSON.stringify(where);
      const probing = probed.get(key) ?? probeEnvironment({ ...where, top, virtualEnvironment: join(top, '.venv') });
      probed.set(key, probing);
      return probing;
    },
    execute: async (command, where) => {
      // A command may take days, and names nothing of the cache before its outputs are added.
      repository.use.end();
      const ending = await runCommand(command, {
        ...where,
        output: output ?? (globals.json ? 'error' : 'inherit'),
        onSignals: divertSignals,
        sharesTerminal: isInForeground(),
      });
      await repository.use.begin();
      const moved = movedTo(repository.use.directory);
      if (moved !== undefined) throw cacheMoved(repository.use.directory, moved);
      return ending;
    },
  };
}
