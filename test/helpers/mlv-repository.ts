import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mlv } from './cli.js';
import { makeRepository } from './repository.js';

/** Writes files below a directory, with the directories on the way. */
export function writeFiles(directory: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

/** A Git repository in which `mlv init` was run, with files in it; gives its path. */
export async function makeMlvRepository(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
  const path = makeRepository();
  await mlv(['init', '-q'], { cwd: path });
  writeFiles(path, files);
  return path;
}
