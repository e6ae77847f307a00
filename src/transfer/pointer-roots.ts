import { isMlvError } from '../core/errors.js';
import { compareNames } from '../objects/entry-name.js';
import { ALGORITHMS, type Oid } from '../objects/oid.js';
import { POINTER_SUFFIX, parsePointer } from '../workspace/pointer-format.js';
import type { LiveRoot } from './collection-mark.js';

const OIDS = new RegExp(`\\b(?:${ALGORITHMS.join('|')}):[0-9a-f]{64}\\b`, 'g');

/** A file that should be a pointer, and names nothing that can be told. */
export interface RefusedPointer {
  path: string;
  blob?: string;
  message: string;
}

/** Where a root was named. */
export interface PointerOrigin {
  /** Git's name of the pointer's bytes; undefined for one that only a working tree holds. */
  blob?: string | undefined;
  /** A commit that brought it; undefined where only an index or a working tree holds it. */
  commit?: string | undefined;
  /** The remote that the pointer names. */
  remote?: string | undefined;
}

/** The objects that pointers name, each once. A broken pointer that names objects counts with all of them. */
export class PointerRoots {
  readonly roots = new Map<Oid, LiveRoot>();
  /** Of what pointers of Git named, a blob that did, and the remote that it names. */
  readonly origins = new Map<Oid, PointerOrigin>();
  private readonly refused: RefusedPointer[] = [];

  /** Takes what a pointer's text names. Error: `FORMAT_TOO_NEW`. */
  add(text: string, file: string, origin: Pick<PointerOrigin, 'blob' | 'commit'> = {}): void {
    const path = file.slice(0, -POINTER_SUFFIX.length);
    try {
      const { oid, files, run, remote } = parsePointer(text, file);
      this.keep({ oid, path, directory: files !== undefined }, { ...origin, remote });
      if (run) this.keep({ oid: run.oid, path: `${path} (record of its run)`, directory: true }, { ...origin, remote });
    } catch (error) {
      if (!isMlvError(error) || error.code === 'FORMAT_TOO_NEW') throw error;
      const oids = new Set(text.match(OIDS) ?? []) as Set<Oid>;
      for (const oid of oids) this.keep({ oid, path, directory: false }, origin);
      if (oids.size === 0)
        this.refuse({ path: file, ...(origin.blob && { blob: origin.blob }), message: error.message });
    }
  }

  refuse(pointer: RefusedPointer): void {
    this.refused.push(pointer);
  }

  /** What was refused, by path: Git lists versions by the clock of their commits, which must not decide the order here. */
  get unreadable(): RefusedPointer[] {
    return this.refused.toSorted((a, b) => compareNames(a.path, b.path));
  }

  private keep(root: LiveRoot, origin: PointerOrigin): void {
    if (this.origins.get(root.oid)?.commit === undefined) this.origins.set(root.oid, origin);
    const before = this.roots.get(root.oid);
    if (!before || (root.directory && !before.directory)) this.roots.set(root.oid, root);
  }
}
