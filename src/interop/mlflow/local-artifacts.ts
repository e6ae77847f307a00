import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileSystemError } from '../../core/errors.js';
import type { ArtifactEntry, ArtifactFile } from './store.js';
import { safeParts, unreachable } from './values.js';

/** `…/1/<run>/artifacts/…` and `…/1/models/m-…/artifacts/…`, however the machine that wrote it calls what is before. */
const IN_STORE = /(?:^|\/)([^/]+\/(?:[0-9a-f]{32}|models\/m-[0-9a-f]{32})\/artifacts(?:\/.*)?)$/;

/**
 * Artifacts in directories of this machine. A store names them by absolute paths of the machine that wrote it, and whoever
 * wrote it may name any path: only what lies in one of the given directories is read, and no symbolic link is followed.
 */
export class LocalArtifacts {
  private readonly roots: readonly string[];

  /** `roots` are absolute; one that is not there is passed over. */
  constructor(roots: readonly string[]) {
    this.roots = roots.flatMap((root) => {
      try {
        return [realpathSync(root)];
      } catch {
        return [];
      }
    });
  }

  /** What is in a directory; undefined for a file. Errors: `OBJECT_MISSING`, `FOREIGN_INVALID`, `FILE_SYSTEM`. */
  list(artifacts: string, below: string): ArtifactEntry[] | undefined {
    const path = this.find(artifacts, below);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat?.isDirectory()) return undefined;
    try {
      return readdirSync(path, { withFileTypes: true }).map((entry) => {
        if (entry.isDirectory()) return { name: entry.name, directory: true };
        if (entry.isFile()) return { name: entry.name, directory: false };
        throw unreachable(artifacts, `'${entry.name}' is neither a file nor a directory`, {
          hint: 'put a file in its place',
        });
      });
    } catch (error) {
      throw fileSystemError('list', path, error);
    }
  }

  open(artifacts: string, below: string): ArtifactFile {
    return { path: this.find(artifacts, below) };
  }

  private find(artifacts: string, below: string): string {
    const inner = safeParts(below);
    for (const path of this.candidates(artifacts)) {
      const whole = join(path, ...inner);
      if (lstatSync(whole, { throwIfNoEntry: false }) && this.isInside(whole)) return whole;
    }
    const { length } = this.roots;
    throw unreachable(
      artifacts,
      length === 0
        ? 'they are in a directory, and none is named'
        : `there is nothing in ${this.roots.map((root) => `'${root}'`).join(' or ')} that it could be`,
      { hint: 'name the directory that holds the artifacts: --artifacts <directory>', absent: length > 0 },
    );
  }

  private candidates(artifacts: string): string[] {
    const path = pathOf(artifacts);
    if (path === undefined) return [];
    const inStore = IN_STORE.exec(path.replaceAll('\\', '/'))?.[1];
    const parts = inStore === undefined ? undefined : safeParts(inStore);
    return this.roots.flatMap((root) => [
      ...(isAbsolute(path) ? [path] : [join(root, ...safeParts(path)), join(root, '..', ...safeParts(path))]),
      ...(parts ? [join(root, ...parts), join(root, 'mlruns', ...parts), join(root, 'mlartifacts', ...parts)] : []),
    ]);
  }

  /** Without a link on the way out of the roots, and with no link inside. */
  private isInside(path: string): boolean {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat || stat.isSymbolicLink()) return false;
    const real = realpathSync(path);
    return this.roots.some((root) => {
      const inside = relative(root, real);
      return inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
    });
  }
}

/** The path of a `file:` URI, or a path as it is; undefined for another scheme. */
function pathOf(artifacts: string): string | undefined {
  if (/^file:\/\/\/?[^/]/.test(artifacts) || artifacts.startsWith('file:/')) {
    try {
      return fileURLToPath(artifacts.replace(/^file:\/(?!\/)/, 'file:///'));
    } catch {
      return undefined;
    }
  }
  return /^[a-z][a-z0-9+.-]+:/i.test(artifacts) ? undefined : artifacts;
}
