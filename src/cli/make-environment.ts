import { MlvError } from '../core/errors.js';
import type { Environment } from '../provenance/environment.js';
import { type MadePython, makePython } from '../provenance/make-python.js';
import { type PackagePlan, planPackages } from '../provenance/python-plan.js';
import { readRecordedLock } from '../provenance/read-lock.js';
import { runCommand } from '../provenance/run-command.js';
import type { OpenRepository } from './context.js';
import { escapeControls } from './render/quote.js';
import { formatCount } from './render/units.js';
import type { Session } from './session.js';
import { isInForeground } from './terminal.js';
import type { VerbInput } from './verb.js';

/** A Python environment that was made in a restored tree. */
export interface MadeEnvironment extends MadePython {
  /** Where names and versions come from: what the run found installed, or a lock file of the commit. */
  from: string;
  /** What of the environment is described only. */
  described: string[];
}

/**
 * Makes the recorded Python environment in a restored tree. Packages are those that were found installed, else those of a
 * lock file that was recorded and is there with the recorded bytes. Errors: `ENVIRONMENT_FAILED`, those of makePython.
 */
export async function makeEnvironment(
  session: Session,
  tree: OpenRepository,
  { environment, options }: { environment: Environment; options: VerbInput['options'] },
): Promise<MadeEnvironment> {
  const { packages, from } = await packagesOf(tree, environment);
  const { env, home, signal, reporter, globals, divertSignals } = session;
  const isSilent = globals.json || globals.quiet;
  const made = await makePython(
    {
      directory: tree.layout.worktree,
      environment,
      packages,
      anyPython: options.anyPython === true,
      build: options.build === true,
    },
    {
      env,
      home,
      signal,
      reporter,
      execute: (command, where) =>
        runCommand(command, {
          ...where,
          output: isSilent ? () => {} : 'error',
          onSignals: divertSignals,
          sharesTerminal: isInForeground(),
        }),
    },
  );
  return { ...made, from, described: describedOnly(environment) };
}

async function packagesOf(
  tree: OpenRepository,
  { packages = [], locks = {} }: Environment,
): Promise<{ packages: PackagePlan; from: string }> {
  if (packages.length > 0) return { packages: planPackages(packages), from: 'the packages that were recorded' };
  const lock = await readRecordedLock(tree, locks);
  if (!lock) {
    throw new MlvError('ENVIRONMENT_FAILED', 'cannot make the Python environment: no packages are recorded of it', {
      hint: 'neither a list of packages, nor a lock file (uv.lock, poetry.lock, requirements.txt) with the recorded bytes',
    });
  }
  const plan = planPackages(lock.packages);
  return { packages: { ...plan, refused: [...plan.refused, ...lock.leftOut] }, from: lock.path };
}

function describedOnly({ r, node, conda, cuda }: Environment): string[] {
  return [
    ...(r === undefined ? [] : [`R ${r}`]),
    ...(node === undefined ? [] : [`Node ${node}`]),
    ...(cuda === undefined ? [] : [`CUDA ${cuda}`]),
    ...(conda && conda.length > 0 ? [`${formatCount(conda.length, 'package')} of conda`] : []),
  ];
}

/** What to tell of an environment that was made: lines of what was done, and notes. */
export function environmentWords(made: MadeEnvironment): { done: string[]; notes: string[] } {
  const { tool, python, same, from, described } = made;
  const what = same ? 'Python and all packages as recorded' : 'NOT the same environment as recorded';
  const patch = python.after === python.before ? '' : ` (${python.before} is recorded)`;
  return {
    done: [
      `made .venv by ${tool} from ${escapeControls(from)}: Python ${python.after}${patch}, ${formatCount(made.installed, 'package')}: ${what}`,
    ],
    notes:
      described.length > 0
        ? [`described only, not made: ${described.map((each) => escapeControls(each)).join(', ')}`]
        : [],
  };
}

/** The error of an environment that lacks packages; undefined where it has all of them. */
export function environmentError({ missing, other, refused }: MadeEnvironment): MlvError | undefined {
  const lacking = [
    ...missing,
    ...other.map(({ name, before, after }) => `${name}==${before} (${after} is there)`),
    ...refused,
  ];
  if (lacking.length === 0) return undefined;
  return new MlvError(
    'PACKAGES_MISSING',
    `${formatCount(lacking.length, 'recorded package')} could not be installed: this is not the same environment`,
    {
      hint: 'a private index is given in the settings of pip or uv; --build lets packages be built that are there as source only',
      data: { paths: lacking },
    },
  );
}
