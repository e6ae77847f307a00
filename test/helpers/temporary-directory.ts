import { chmodSync, lstatSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made = new Set<string>();

/**
 * Makes an empty directory with a real path (no symlink on the way) that is removed when the test file ends, whether
 * its tests pass or not. May be called anywhere in a test file or its hooks.
 */
export function temporaryDirectory(name = 'test'): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), `mlv-${name}-`)));
  made.add(path);
  return path;
}

/** Removes a directory with everything in it, read-only directories too. A directory that is not there is fine. */
function removeDirectory(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    makeWritable(path);
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

function makeWritable(directory: string): void {
  if (!lstatSync(directory).isDirectory()) return;
  chmodSync(directory, 0o700);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) makeWritable(join(directory, entry.name));
  }
}

function removeAll(): void {
  for (const path of made) {
    removeDirectory(path);
    made.delete(path);
  }
}

afterAll(removeAll);
process.once('exit', removeAll);
