import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a directory holds, for comparing two of them with `toEqual`: by `/`-separated path, `directory`, `link -> target`
 * or `file <sha256>` (`executable <sha256>` where the owner may run it). Independent of any code of mlv. Entries for
 * which `skip` gives true for their path are left out with all below them.
 */
export function describeTree(directory: string, skip: (path: string) => boolean = () => false): Record<string, string> {
  // Without a prototype, so that a file called `__proto__` is an entry like any other.
  const found: Record<string, string> = Object.create(null);
  describeBelow({ directory, prefix: '', skip, found });
  return found;
}

/** The sha256 of a file's bytes, in hex. */
function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

interface Walk {
  directory: string;
  prefix: string;
  skip: (path: string) => boolean;
  found: Record<string, string>;
}

function describeBelow({ directory, prefix, skip, found }: Walk): void {
  for (const name of readdirSync(directory).sort()) {
    const path = prefix + name;
    if (skip(path)) continue;
    const absolute = join(directory, name);
    const stats = lstatSync(absolute);
    if (stats.isDirectory()) {
      found[path] = 'directory';
      describeBelow({ directory: absolute, prefix: `${path}/`, skip, found });
    } else if (stats.isSymbolicLink()) found[path] = `link -> ${readlinkSync(absolute)}`;
    else found[path] = `${stats.mode & 0o100 ? 'executable' : 'file'} ${sha256(absolute)}`;
  }
}
