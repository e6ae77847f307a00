import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { mlv, runMlv } from './cli.js';
import { gitWithMlv, tryGit } from './git-with-mlv.js';
import { writeFiles } from './mlv-repository.js';

/** What is Git's or mlv's own in a working tree, and no content. */
const OWN = /(^|\/)(\.git|\.gitignore|\.gitattributes|\.gitmodules|mlv\.yaml)$|\.mlv$/;

/**
 * One clone of a repository with mlv, and beside it a clone of a twin that does the same work with plain Git, its data
 * committed as it is. After each step both must hold the same bytes.
 */
export class Member {
  constructor(
    readonly mlv: string,
    readonly plain: string,
  ) {}

  /** The member at other working trees of the same clones. */
  at(mlvPath: string, plainPath: string): Member {
    return new Member(join(this.mlv, mlvPath), join(this.plain, plainPath));
  }

  /** The same Git command in both, which must end well. */
  git(...args: string[]): void {
    gitWithMlv(this.mlv, ...args);
    gitWithMlv(this.plain, ...args);
  }

  /** The same Git command in both, which must stop with a conflict. */
  conflict(...args: string[]): void {
    for (const cwd of [this.mlv, this.plain]) expect([tryGit(cwd, args).status, cwd]).toEqual([1, cwd]);
  }

  /** Writes files in both; undefined removes one. */
  write(files: Readonly<Record<string, string | undefined>>): void {
    for (const cwd of [this.mlv, this.plain]) {
      for (const [name, content] of Object.entries(files)) {
        if (content === undefined) rmSync(join(cwd, name), { recursive: true, force: true });
        else writeFiles(cwd, { [name]: content });
      }
    }
  }

  /** Writes files, and commits them in both: what mlv tracks as pointers. */
  async save(message: string, files: Readonly<Record<string, string | undefined>>): Promise<void> {
    this.write(files);
    await this.add();
    this.git('add', '--all');
    this.git('commit', '-qm', message);
  }

  /** `mlv add` of everything that is tracked, and of `more`. */
  async add(...more: string[]): Promise<void> {
    const tracked = ['data', 'extra/images', 'score'].filter((each) => existsSync(join(this.mlv, `${each}.mlv`)));
    await mlv(['add', '-q', ...tracked, ...more], { cwd: this.mlv });
  }

  /** Fetches what the cache lacks, and compares both. */
  async pull(): Promise<void> {
    await mlv(['pull'], { cwd: this.mlv });
    await this.same();
  }

  /** Fails unless both have the same files with the same SHA-256, and mlv sees nothing changed. */
  async same(): Promise<void> {
    expect(digests(this.mlv)).toEqual(digests(this.plain));
    const { stdout } = await runMlv(['status', '--json'], { cwd: this.mlv });
    const status = JSON.parse(stdout) as { targets: { path: string; state: string }[]; problems: unknown[] };
    expect(status.problems).toEqual([]);
    expect(status.targets.filter(({ state }) => state !== 'unchanged')).toEqual([]);
  }
}

/** SHA-256 of every file below a directory, by path; links by their target, and submodules left out. */
function digests(root: string, below = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(root, below)).sort()) {
    const path = below === '' ? name : `${below}/${name}`;
    const absolute = join(root, path);
    const stat = lstatSync(absolute);
    if (OWN.test(path)) continue;
    if (stat.isDirectory()) {
      if (!existsSync(join(absolute, '.git'))) Object.assign(found, digests(root, path));
    } else if (stat.isSymbolicLink()) found[path] = `-> ${readlinkSync(absolute)}`;
    else found[path] = createHash('sha256').update(readFileSync(absolute)).digest('hex');
  }
  return found;
}
