import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ObjectCache } from '../objects/cache.js';
import { letGroupRead, makeCacheDirectory } from '../objects/group-directory.js';
import { isObjectError } from '../objects/object-error.js';
import { digestOf, type Oid } from '../objects/oid.js';
import { checkTreeLevel, KIND, TreeReader } from '../objects/tree-format.js';
import type { WantedPart } from './wanted-part.js';

/** Objects of a target that the cache does not hold. */
export interface MissingObjects {
  /** How many, and their bytes; a missing tree counts for all that it would name. */
  objects: number;
  bytes: number;
  /** Some of them with their paths below the target, for messages. */
  examples: { path: string; oid: Oid }[];
}

const EXAMPLES = 20;
/** Above the coarsest time stamps of common file systems (2 s on FAT). */
const YOUNG_MS = 2500;

/**
 * Which objects of targets the cache lacks. The answer "none" is remembered for a target together with the state of
 * the cache's folders, which any object that comes or goes changes; so asking again costs 256 stats and no look at
 * 100,000 objects.
 */
export class Completeness {
  private state: string | undefined;
  private young = true;

  constructor(
    private readonly cache: ObjectCache,
    private readonly directory: string,
  ) {}

  /**
   * What the cache lacks of a file's or directory's object. A tree that is damaged, or is no tree at all, counts as
   * missing. With a part of a directory, only what is in it is looked for. Error: `FILE_SYSTEM`.
   */
  missing(oid: Oid, directory: boolean, size: number, part?: WantedPart): MissingObjects {
    const result: MissingObjects = { objects: 0, bytes: 0, examples: [] };
    if (!directory) {
      if (!this.cache.has(oid, size)) note(result, { path: '', oid, size });
      return result;
    }
    const state = this.cacheState();
    const memory = this.fileOf(oid, part);
    if (this.remembered(memory, state)) return result;
    this.visit(digestOf(oid), { path: '', size, level: 0, visited: new Set(), part }, result);
    if (result.objects === 0 && state !== undefined && !this.young) this.remember(memory, state);
    return result;
  }

  private visit(digest: Buffer, at: TreeVisit, result: MissingObjects): void {
    // A directory that stands in many places is looked at once: a few trees may name each other any number of times.
    const inPart = at.part && at.part.covers(at.path.slice(0, -1), true) !== 'all' ? at.part : undefined;
    const key = `${digest.toString('latin1')}${inPart ? at.path : ''}`;
    if (at.visited.has(key)) return;
    at.visited.add(key);
    const oid = this.cache.oid(digest);
    const bytes = this.readTree(oid);
    if (!bytes) {
      note(result, { path: at.path, size: at.size, oid });
      return;
    }
    try {
      checkTreeLevel(at.level);
      this.visitEntries(new TreeReader(bytes), at, result);
    } catch (error) {
      if (!isObjectError(error)) throw error;
      note(result, { path: at.path, size: at.size, oid });
    }
  }

  private visitEntries(reader: TreeReader, at: TreeVisit, result: MissingObjects): void {
    while (reader.next()) {
      if (reader.kind === KIND.link) continue;
      const directory = reader.kind === KIND.tree;
      if (at.part?.covers(at.path + reader.name, directory) === 'none') continue;
      if (directory) {
        const below = {
          path: `${at.path}${reader.name}/`,
          size: reader.size,
          level: at.level + 1,
          visited: at.visited,
          part: at.part,
        };
        this.visit(Buffer.from(reader.digest), below, result);
      } else if (!this.cache.hasHex(reader.digest.toString('hex'), reader.size)) {
        note(result, { path: at.path + reader.name, oid: this.cache.oid(reader.digest), size: reader.size });
      }
    }
  }

  private readTree(oid: Oid): Buffer | undefined {
    try {
      return this.cache.read(oid);
    } catch (error) {
      if (isObjectError(error)) return undefined;
      throw error;
    }
  }

  private remembered(path: string, state: string | undefined): boolean {
    try {
      return readFileSync(path, 'utf8') === state;
    } catch {
      return false;
    }
  }

  private remember(path: string, state: string): void {
    try {
      const temporary = this.cache.temporary.next();
      makeCacheDirectory(dirname(path));
      writeFileSync(temporary, state);
      letGroupRead(temporary);
      renameSync(temporary, path);
    } catch {
      // Only a shortcut: where it cannot be written, the next look is a long one again.
    }
  }

  private fileOf(oid: Oid, part?: WantedPart): string {
    const hex = oid.slice(oid.indexOf(':') + 1);
    const name = part ? createHash('sha256').update(`${hex} ${part.key}`).digest('hex') : hex;
    return join(this.directory, name.slice(0, 32));
  }

  /** A digest of the change times of all folders that objects lie in; taken once, before anything is looked at. */
  private cacheState(): string | undefined {
    try {
      this.state ??= this.takeState();
      return this.state;
    } catch {
      return undefined;
    }
  }

  private takeState(): string {
    const now = Date.now();
    let newest = 0;
    const hash = createHash('sha256');
    const folder = join(this.cache.objectsDirectory, this.cache.hash.algorithm);
    for (const name of readdirSync(folder).sort()) {
      const stat = statSync(join(folder, name));
      newest = Math.max(newest, stat.ctimeMs);
      hash.update(`${name} ${stat.mtimeMs} ${stat.ctimeMs} ${stat.ino}\n`);
    }
    // A folder that changed so lately may change again without its time showing it.
    this.young = Math.abs(now - newest) < YOUNG_MS;
    return hash.digest('hex');
  }
}

/** Where a tree stands, and the trees that were looked at so far. */
interface TreeVisit {
  path: string;
  size: number;
  level: number;
  visited: Set<string>;
  part: WantedPart | undefined;
}

function note(result: MissingObjects, missing: { path: string; oid: Oid; size: number }): void {
  result.objects++;
  result.bytes += missing.size;
  if (result.examples.length < EXAMPLES) result.examples.push({ path: missing.path, oid: missing.oid });
}
