import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { afterAll } from 'vitest';
import { temporaryDirectory } from './temporary-directory.js';

const mounted: string[] = [];

/** A mount point and what may be changed about it. */
export interface SmallDisk {
  path: string;
  /** From now on nothing can be written, whatever the permissions say and whoever asks. */
  makeReadOnly(): void;
  makeWritable(): void;
  /** Makes it larger, or smaller: that many KiB from now on. */
  resize(kibibytes: number): void;
}

/** A file system of that many KiB of its own, in memory; undefined where the tests may not mount one (not root, not Linux). */
export function smallDisk(kibibytes: number): SmallDisk | undefined {
  const path = realpathSync(temporaryDirectory('disk'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  mounted.push(path);
  const remount = (option: string): void => void execFileSync('mount', ['-o', `remount,${option}`, path]);
  return {
    path,
    makeReadOnly: () => remount('ro'),
    makeWritable: () => remount('rw'),
    resize: (size) => remount(`size=${size}k`),
  };
}

afterAll(() => {
  for (const path of mounted.splice(0)) execFileSync('umount', ['--lazy', path]);
});
