import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import type { Script } from 'node:vm';

/**
 * Those of some twenty verbs, at most some 20 MB; older builds, other versions of Node and verbs that were not used lately
 * go first. A verb has up to ten: with room for fewer than are used in turns, each would drive out what the next one needs.
 */
const MOST_ENTRIES = 192;
/** An entry that is used counts as new again once it is as old as this, ms: not each time, because that writes to the disk. */
const RENEWED_AFTER_MS = 24 * 60 * 60 * 1000;
const DIGEST_BYTES = 32;
/** An entry, or one that is being written. */
const ENTRY_NAME = /^[0-9a-f]{64}(?:\.[0-9a-f-]{36}\.tmp)?$/;

/** What the process is, as far as the code that V8 makes depends on it. */
export interface CodeCacheSurroundings {
  env: NodeJS.ProcessEnv;
  /** Node's version, the processor, and the options that Node was started with. */
  runtime: readonly string[];
  /** The user that the process acts as, undefined where the system has no such numbers. */
  user: number | undefined;
}

/**
 * What V8 made of the program's files at an earlier start, in the user's folder for caches. An entry is named by the
 * digest of all that it depends on, the source included, and begins with the digest of what follows: V8 itself would
 * run the code of another file of the same length, and code that is damaged. Nothing here ever fails.
 */
export class CodeCache {
  private readonly scripts = new Map<string, Script>();
  private usable: boolean | undefined;

  private constructor(
    private readonly directory: string,
    private readonly surroundings: CodeCacheSurroundings,
  ) {}

  /** Undefined where the user wants none (`NODE_DISABLE_COMPILE_CACHE`), or the code is counted. */
  static open(surroundings: CodeCacheSurroundings): CodeCache | undefined {
    const { env } = surroundings;
    if (env.NODE_DISABLE_COMPILE_CACHE || env.NODE_V8_COVERAGE) return undefined;
    const named = env.XDG_CACHE_HOME;
    const caches = named && isAbsolute(named) ? named : join(homedir(), '.cache');
    return isAbsolute(caches) ? new CodeCache(join(caches, 'mlv-code'), surroundings) : undefined;
  }

  /** The name of an entry. What a verb runs is kept for it, so that none reads and makes ready what others run. */
  nameOf(source: Uint8Array, verb: string): string {
    const { runtime, env } = this.surroundings;
    return createHash('sha256')
      .update(JSON.stringify([...runtime, env.NODE_OPTIONS ?? '', verb]))
      .update(source)
      .digest('hex');
  }

  /** What an entry holds, undefined where there is none, or it is not whole. */
  find(name: string): Buffer | undefined {
    this.usable ??= this.isOurs();
    if (!this.usable) return undefined;
    try {
      const path = join(this.directory, name);
      const entry = readFileSync(path);
      const data = entry.subarray(DIGEST_BYTES);
      if (!entry.subarray(0, DIGEST_BYTES).equals(digestOf(data))) return undefined;
      renew(path);
      return data;
    } catch {
      return undefined;
    }
  }

  /** Has the code of a script that was compiled afresh written at the end, when what it calls is compiled, too. */
  keep(name: string, script: Script): void {
    this.scripts.set(name, script);
  }

  /** Writes what is to be kept. */
  write(): void {
    if (this.scripts.size === 0) return;
    try {
      // No deeper: a home directory that is not there is not made.
      for (const folder of [dirname(this.directory), this.directory]) makeFolder(folder);
      if (!this.isOurs()) return;
      for (const [name, script] of this.scripts) this.writeEntry(name, script.createCachedData());
      this.removeOldest();
    } catch {
      // A disk that is full or read-only: the next start compiles again.
    }
  }

  private writeEntry(name: string, data: Buffer): void {
    const temporary = join(this.directory, `${name}.${randomUUID()}.tmp`);
    try {
      writeFileSync(temporary, Buffer.concat([digestOf(data), data]), { mode: 0o600, flag: 'wx' });
      renameSync(temporary, join(this.directory, name));
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** What else somebody put there is left alone. */
  private removeOldest(): void {
    const names = readdirSync(this.directory).filter((name) => ENTRY_NAME.test(name));
    if (names.length <= MOST_ENTRIES) return;
    const entries = names.map((name) => {
      const path = join(this.directory, name);
      return { path, time: lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
    });
    entries.sort((left, right) => right.time - left.time);
    for (const { path } of entries.slice(MOST_ENTRIES)) unlinkSync(path);
  }

  /**
   * Code is run from there, and what is old goes: it is a folder that nobody else can write to, and no link to one that
   * has another purpose.
   */
  private isOurs(): boolean {
    const { user } = this.surroundings;
    try {
      const stats = lstatSync(this.directory);
      return stats.isDirectory() && (user === undefined || (stats.uid === user && (stats.mode & 0o022) === 0));
    } catch {
      return false;
    }
  }
}

/** A folder that is read-only now keeps its entries as they are. */
function renew(path: string): void {
  const now = Date.now();
  if (now - lstatSync(path).mtimeMs < RENEWED_AFTER_MS) return;
  try {
    utimesSync(path, now / 1000, now / 1000);
  } catch {
    // It is only the sooner gone.
  }
}

function makeFolder(path: string): void {
  if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
}

function digestOf(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}
