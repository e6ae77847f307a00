import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

const LOCK_FILES =
  /^(?:requirements[\w.-]*\.(?:txt|in|lock)|constraints[\w.-]*\.txt|pyproject\.toml|uv\.lock|poetry\.lock|pdm\.lock|pylock[\w.-]*\.toml|Pipfile\.lock|environment[\w.-]*\.ya?ml|conda-lock\.ya?ml|pixi\.lock|renv\.lock|package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|Manifest\.toml|Cargo\.lock|go\.sum)$/;
const SIZE_LIMIT = 64 * 1024 * 1024;
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Files that pin what a project installs, in `cwd` and every directory above it up to `top` (both absolute): by path
 * from `top`, with the `sha256:<hex>` of their bytes. Links are not followed; what cannot be read is left out.
 */
export function probeLocks(cwd: string, top: string): Record<string, string> {
  const found: [string, string][] = [];
  for (const directory of upwards(cwd, top)) {
    for (const name of namesIn(directory)) {
      if (!LOCK_FILES.test(name)) continue;
      const digest = digestOf(join(directory, name));
      const path = relative(top, join(directory, name)).split(sep).join('/');
      if (digest !== undefined) found.push([path, digest]);
    }
  }
  return Object.fromEntries(found.sort(([left], [right]) => (left < right ? -1 : 1)));
}

function upwards(cwd: string, top: string): string[] {
  if (cwd === top || !cwd.startsWith(`${top}${sep}`)) return [cwd];
  return [cwd, ...upwards(dirname(cwd), top)];
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function digestOf(path: string): string | undefined {
  try {
    const descriptor = openSync(path, FLAGS);
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile() || stat.size > SIZE_LIMIT) return undefined;
      return `sha256:${createHash('sha256').update(readFileSync(descriptor)).digest('hex')}`;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}
