import { runGit } from '../../git/process.js';
import { type HashFunction, loadHash } from '../../objects/hash.js';
import { programVersion } from '../program-version.js';
import type { Session } from '../session.js';
import { type Check, ok } from './check.js';

const OLDEST_GIT = [2, 26] as const;
const MEASURED_BYTES = 64 * 1024 * 1024;

/** mlv itself, Node and Git. */
export async function checkPrograms({ cwd, env }: Session): Promise<Check[]> {
  const programs = [
    ok('mlv', programVersion()),
    ok('node', process.versions.node, { platform: `${process.platform}-${process.arch}` }),
  ];
  try {
    const { stdout } = await runGit(['version'], { cwd, env });
    const version = /\d+(?:\.\d+)+/.exec(stdout.toString('utf8'))?.[0] ?? '';
    return [...programs, gitCheck(version)];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [...programs, { name: 'git', state: 'problem', message, hint: 'install Git and put it on the PATH' }];
  }
}

function gitCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const old = major < OLDEST_GIT[0] || (major === OLDEST_GIT[0] && minor < OLDEST_GIT[1]);
  if (!old) return ok('git', version);
  const message = `${version} is too old: mlv needs ${OLDEST_GIT.join('.')} or newer`;
  return { name: 'git', state: 'problem', message, hint: 'install a newer Git', data: { version } };
}

/** The hash that new objects are named by, and how fast it is on one core of this machine. */
export async function checkHash(loaded?: HashFunction): Promise<Check> {
  const hash = loaded ?? (await loadHash('blake3'));
  const bytes = Buffer.alloc(MEASURED_BYTES, 1);
  hash.digest(bytes.subarray(0, MEASURED_BYTES / 8));
  const started = performance.now();
  hash.digest(bytes);
  const seconds = (performance.now() - started) / 1000;
  const gibPerSecond = Math.round((MEASURED_BYTES / 2 ** 30 / seconds) * 100) / 100;
  const data = { algorithm: hash.algorithm, implementation: hash.implementation, gibPerSecond };
  const message = `${hash.algorithm}, ${hash.implementation}, ${gibPerSecond} GiB/s`;
  if (hash.implementation !== 'wasm') return ok('hash', message, data);
  const hint = 'the native binding is several times faster: reinstall mlv with optional dependencies';
  return { name: 'hash', state: 'warning', message, hint, data };
}
