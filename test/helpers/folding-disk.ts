import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { temporaryDirectory } from './temporary-directory.js';

const mounted: string[] = [];
const devices: string[] = [];

/** Makers of file systems, and what mounts them: each is given the device, the latter the mount point, too. */
const KINDS: readonly { make: string; mount: readonly string[] }[] = [
  { make: 'mkfs.vfat', mount: ['mount', '-t', 'vfat', '-o', 'umask=000'] },
  { make: 'mkfs.exfat', mount: ['mount', '-t', 'exfat', '-o', 'umask=000'] },
  { make: 'mkfs.exfat', mount: ['mount.exfat-fuse', '-o', 'umask=000'] },
];

/**
 * The path of a disk as memory cards and Windows have them: it takes names that differ only in case for one, refuses some
 * characters, and keeps neither executable bits nor links. Undefined where the tests can have none (not root, not Linux, no
 * such file system).
 */
export function foldingDisk(): string | undefined {
  const at = realpathSync(temporaryDirectory('disk'));
  if (!KINDS.some((kind) => isMounted(kind, at))) return undefined;
  mounted.push(at);
  writeFileSync(join(at, 'folded'), '');
  return existsSync(join(at, 'FOLDED')) ? at : undefined;
}

function isMounted({ make, mount: [command = '', ...options] }: (typeof KINDS)[number], at: string): boolean {
  try {
    const device = deviceOf(join(temporaryDirectory('image'), 'disk'));
    devices.push(device);
    execFileSync(make, [device], { stdio: 'ignore' });
    execFileSync(command, [...options, device, at], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A file of 64 MiB as a block device: FUSE takes no file. */
function deviceOf(image: string): string {
  writeFileSync(image, '');
  truncateSync(image, 64 * 1024 * 1024);
  const asked = ['--find', '--show', image];
  return execFileSync('losetup', asked, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

afterAll(() => {
  for (const path of mounted.splice(0)) execFileSync('umount', ['--lazy', path]);
  // What is mounted still, for a moment, goes when it is not.
  for (const device of devices.splice(0)) execFileSync('losetup', ['--detach', device]);
});
