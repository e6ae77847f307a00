import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { freemem } from 'node:os';

/** A process to be measured. */
export interface Command {
  argv: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
}

/** What one run of a command took. */
export interface Sample {
  /** Wall-clock seconds. */
  seconds: number;
  /** Seconds of processor time, user and system, of the process and its children; absent without bash. */
  cpuSeconds?: number;
  /** Largest resident memory of the process itself; absent where there is no /proc, or the process ended too soon. */
  peakMiB?: number;
  stdout: string;
}

/** One side of a comparison. */
export interface Contestant {
  name: string;
  /** A function where every run needs another one. */
  command: Command | (() => Command);
  /** Brings everything to where the command can run; not measured. */
  prepare?: () => void | Promise<void>;
}

/**
 * Bash's own clock counts the processor time of a process and its children, which Node cannot ask for. Bash starts
 * before its clock does, so that its own start is in no figure.
 */
const WRAPPER = 'TIMEFORMAT=\'%3R %3U %3S\'; { time "$@" 2>&4 3>&- 4>&-; } 4>&2 2>&3';
const HAS_BASH = process.platform !== 'win32' && spawnSync('bash', ['-c', 'exit 0']).status === 0;
/** The kernel keeps the peak; it must only be read once, late. */
const POLL_MS = 20;
const GIB = 1024 ** 3;
/** More than any command writes that is measured against another. */
const TOUCHED_GIB = 6;

/** Runs a command to its end. Throws an Error with what it printed on standard error when it ends with another code than 0. */
export async function run(command: Command): Promise<Sample> {
  const [program = '', ...args] = command.argv;
  const start = performance.now();
  const child = HAS_BASH
    ? spawn('bash', ['-c', WRAPPER, 'bench', program, ...args], {
        cwd: command.cwd,
        env: command.env,
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      })
    : spawn(program, args, { cwd: command.cwd, env: command.env, stdio: ['ignore', 'pipe', 'pipe'] });
  const peak = watchPeak(child, HAS_BASH);
  const texts = [1, 2, 3].map((descriptor) => collect(child, descriptor));
  const code = await new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  const elapsed = (performance.now() - start) / 1000;
  const [stdout = '', stderr = '', clock = ''] = texts.map((text) => text());
  if (code !== 0) throw new Error(`${command.argv.join(' ')} ended with ${code}\n${stderr}${stdout}`);
  const peakMiB = peak();
  return { ...readClock(clock, elapsed), ...(peakMiB === undefined ? {} : { peakMiB }), stdout };
}

/** Runs every contestant `runs` times, in turns (A B A B), so that what slows the machine down slows down all of them. */
export async function contest(contestants: readonly Contestant[], runs: number): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < runs; round++) {
    for (const { name, command, prepare } of contestants) {
      await prepare?.();
      settle();
      samples.get(name)?.push(await run(typeof command === 'function' ? command() : command));
    }
  }
  return samples;
}

/** Waits until the disk has what was written so far: nobody pays for the bytes of whoever ran before. */
export function settle(): void {
  if (process.platform !== 'win32') spawnSync('sync');
}

/**
 * Makes free memory memory that the machine has. A virtual machine hands what it frees back to its host, and the first
 * touch afterwards costs more than the copy of a page: `cp` of 1 GiB took 0.4 s with memory touched before and 0.6 to
 * 2.9 s without.
 */
export function touchMemory(): void {
  const gibibytes = Math.min(TOUCHED_GIB, Math.floor(freemem() / 2 / GIB));
  const touch = `const held = []; for (let i = 0; i < ${gibibytes}; i++) held.push(Buffer.alloc(${GIB}, 1));`;
  spawnSync(process.execPath, ['--eval', touch]);
}

function readClock(clock: string, elapsed: number): { seconds: number; cpuSeconds?: number } {
  const [seconds, user, system] = clock
    .trim()
    .split(/\s+/)
    .map((text) => Number(text.replace(',', '.')));
  if (seconds === undefined || user === undefined || system === undefined) return { seconds: elapsed };
  return { seconds, cpuSeconds: user + system };
}

function collect(child: ChildProcess, descriptor: number): () => string {
  const parts: Buffer[] = [];
  child.stdio[descriptor]?.on('data', (part: Buffer) => parts.push(part));
  return () => Buffer.concat(parts).toString('utf8');
}

/** Reads the peak that Linux keeps for a process (VmHWM) until it ends; what it grows by in the last 20 ms is missed. */
function watchPeak(child: ChildProcess, wrapped: boolean): () => number | undefined {
  if (!existsSync('/proc/self/status') || child.pid === undefined) return () => undefined;
  let peak: number | undefined;
  let pid = wrapped ? undefined : child.pid;
  const timer = setInterval(() => {
    pid ??= firstChild(child.pid as number);
    const current = pid === undefined ? undefined : highWaterMark(pid);
    if (current !== undefined) peak = Math.max(peak ?? 0, current);
  }, POLL_MS);
  child.once('close', () => clearInterval(timer));
  return () => peak;
}

function firstChild(pid: number): number | undefined {
  const first = readIfThere(`/proc/${pid}/task/${pid}/children`).trim().split(' ')[0];
  return first ? Number(first) : undefined;
}

function highWaterMark(pid: number): number | undefined {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readIfThere(`/proc/${pid}/status`));
  return found ? Number(found[1]) / 1024 : undefined;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
