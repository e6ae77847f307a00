import { existsSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CacheBatch } from '../objects/cache-batch.js';
import type { ContentImporter, ImportedContent, ImportFailure } from './content-import.js';
import { type ForeignId, foreignKey } from './foreign-id.js';

/** A content that is wanted, and where it may be found. */
export interface WantedContent {
  id: ForeignId;
  /** Absolute paths of files that may have it, in the order to be tried. */
  places: readonly string[];
  /** Files that are read for themselves, each with the key under which its bytes are kept: see ContentCollection. */
  own?: { key: string; place: string };
}

/** Whether a wanted content seems to be on this machine: by names alone, nothing is read. */
export function seemsHere({ places, own }: WantedContent): boolean {
  return places.some((place) => existsSync(place)) || (own !== undefined && existsSync(own.place));
}

const TURN_MS = 50;

/**
 * Contents of another tool that are in the cache now, by their names there. Of a name that stands for several contents
 * (`md5-dos2unix`), those that a file of the workspace has are kept under the key of that file beside.
 */
export class ContentCollection {
  private readonly contents = new Map<string, ImportedContent>();
  private readonly damaged = new Map<string, string>();

  constructor(
    private readonly importer: ContentImporter,
    private readonly batch: CacheBatch,
  ) {}

  /** The content of a name; of the file with that key, where it has its own. */
  get(id: ForeignId, ownKey?: string): ImportedContent | undefined {
    return (ownKey === undefined ? undefined : this.contents.get(ownKey)) ?? this.contents.get(foreignKey(id));
  }

  /** Where something stands under this name that has other bytes; undefined also where its content was found elsewhere. */
  damagedAt(id: ForeignId): string | undefined {
    return this.get(id) ? undefined : this.damaged.get(foreignKey(id));
  }

  /** Takes what can be had from files; gives what is still wanted. Errors: those of ContentImporter.fromFile. */
  async takeFiles(
    wanted: Iterable<WantedContent>,
    options: { onItem: () => void; signal?: AbortSignal },
  ): Promise<WantedContent[]> {
    const rest: WantedContent[] = [];
    let turn = Date.now();
    for (const item of wanted) {
      if (!(await this.takeFile(item))) rest.push(item);
      options.onItem();
      if (this.batch.full) await this.batch.commit();
      if (Date.now() - turn < TURN_MS) continue;
      await nextTurn();
      options.signal?.throwIfAborted();
      turn = Date.now();
    }
    return rest;
  }

  /**
   * Remembers what was found under a content's name, and at which place where that is to be told of when its bytes are
   * others; true where that is the content.
   */
  put(id: ForeignId, result: ImportedContent | ImportFailure, place?: string): boolean {
    if (result === 'other' && place !== undefined) this.damaged.set(foreignKey(id), place);
    if (typeof result !== 'object') return false;
    this.contents.set(foreignKey(id), result);
    return true;
  }

  private async takeFile({ id, places, own }: WantedContent): Promise<boolean> {
    if (own) {
      const found = this.importer.fromFile(own.place, id);
      const result = found instanceof Promise ? await found : found;
      if (typeof result === 'object') {
        this.contents.set(own.key, result);
        this.put(id, this.get(id) ?? result, own.place);
        return true;
      }
    }
    if (this.contents.has(foreignKey(id))) return true;
    for (const place of places) {
      const found = this.importer.fromFile(place, id);
      // Small files are done by now; a promise for each would cost more than they do.
      const result = found instanceof Promise ? await found : found;
      // A file of the workspace may hold anything; what is named by its content is damaged where it has other bytes.
      if (result === 'other' && !isNamedBy(place, id)) continue;
      if (this.put(id, result, place)) return true;
    }
    return false;
  }
}

/** True for a path as caches have it: the digits of the name, the first ones perhaps as directories. */
function isNamedBy(place: string, { hex }: ForeignId): boolean {
  return place.replace(/[\\/]/g, '').endsWith(hex);
}
