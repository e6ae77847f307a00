import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

/** The machine that figures come from, without anything that names it. */
export interface Machine {
  processor: string;
  cores: number;
  memoryGiB: number;
  /** The file system that the inputs lie on. */
  fileSystem: string;
  kernel: string;
  node: string;
  git: string;
}

/** Looks at this machine; `directory` is where the inputs are made. */
export function describeMachine(directory: string): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    fileSystem: fileSystemOf(realpathSync(directory)),
    kernel: `${type()} ${/^[0-9.]+/.exec(release())?.[0] ?? ''}`.trim(),
    node: process.versions.node,
    git: firstLine('git', ['--version']).replace('git version ', ''),
  };
}

/** The first line that a program prints; empty when it is not installed. */
export function firstLine(program: string, args: readonly string[], path = process.env.PATH): string {
  const result = spawnSync(program, [...args], { encoding: 'utf8', env: { ...process.env, PATH: path } });
  return result.status === 0 ? (result.stdout.split('\n')[0] ?? '').trim() : '';
}

function fileSystemOf(directory: string): string {
  try {
    return longestMount(readFileSync('/proc/self/mounts', 'utf8'), directory) ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/** The type of the file system in /proc/self/mounts that `directory` lies on. */
export function longestMount(mounts: string, directory: string): string | undefined {
  let best: { point: string; name: string } | undefined;
  for (const line of mounts.split('\n')) {
    const [, escaped, name] = line.split(' ');
    if (escaped === undefined || name === undefined) continue;
    const point = escaped.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const inside = directory === point || directory.startsWith(point.endsWith('/') ? point : `${point}/`);
    if (inside && (!best || point.length >= best.point.length)) best = { point, name };
  }
  return best?.name;
}

/** The machine in one line of a report. */
export function machineLine({ processor, cores, memoryGiB, fileSystem, kernel, node, git }: Machine): string {
  return `${processor}, ${cores} cores, ${memoryGiB} GiB, ${fileSystem}, ${kernel}, Node ${node}, Git ${git}`;
}
