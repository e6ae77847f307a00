import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { openGit } from '../../src/git/open.js';
import { auditRegistry } from '../../src/registry/audit.js';
import { sha256Of } from '../../src/registry/digest.js';
import type { RegistryEvent } from '../../src/registry/event.js';
import { encodeEvent } from '../../src/registry/event-format.js';
import { eventPath } from '../../src/registry/layout.js';
import { openRegistry } from '../../src/registry/store.js';
import type { Proposer } from '../../src/registry/transition.js';
import { cleanEnvironment } from './cli.js';
import type { SigningKey } from './signing-keys.js';
import { temporaryDirectory } from './temporary-directory.js';

/** Somebody who writes to a registry. */
export interface Person {
  /** `Name <mail>`. */
  by: string;
  mail: string;
  /** The environment of their Git. */
  env: NodeJS.ProcessEnv;
  key: SigningKey | undefined;
}

/** A person, with a key to sign with where one is given. */
export function person(name: string, key?: SigningKey): Person {
  const mail = `${name.toLowerCase()}@example.com`;
  const settings = Object.entries(key?.settings ?? {});
  const config = settings.flatMap(([setting, value], at) => [
    [`GIT_CONFIG_KEY_${at}`, setting] as const,
    [`GIT_CONFIG_VALUE_${at}`, value] as const,
  ]);
  const env = cleanEnvironment({
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: mail,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: mail,
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(config),
    ...key?.env,
  });
  return { by: `${name} <${mail}>`, mail, env, key };
}

/** What somebody needs to propose something to the registry of a repository. */
export async function proposerFor(cwd: string, who: Person, extra: NodeJS.ProcessEnv = {}): Promise<Proposer> {
  const git = await openGit(cwd, { env: { ...who.env, ...extra } });
  const registry = openRegistry({ git, remote: undefined, interactive: false });
  return { git, registry, by: who.by, now: () => Math.floor(Date.now() / 1000) };
}

/** What is forced onto the branch with plain Git. */
export interface Forced {
  /** By path; undefined removes a file. */
  files: Readonly<Record<string, string | undefined>>;
  sign?: boolean;
  /** As Git reads dates. */
  date?: string;
  /** A further parent. */
  merge?: string;
}

/** Writes a commit onto the registry's branch with plain Git, as somebody who may push could; gives its name. */
export function forceIn(cwd: string, who: Person, { files, sign = false, date, merge }: Forced): string {
  const dates = date === undefined ? {} : { GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date };
  const env = { ...who.env, ...dates, GIT_INDEX_FILE: join(temporaryDirectory('index'), 'index') };
  const git = (args: string[], input?: string): string =>
    execFileSync('git', args, { cwd, env, encoding: 'utf8', input }).trim();
  git(['read-tree', 'mlv-registry']);
  for (const [path, text] of Object.entries(files)) {
    if (text === undefined) git(['rm', '--quiet', '--cached', path]);
    else git(['update-index', '--add', '--cacheinfo', `100644,${git(['hash-object', '-w', '--stdin'], text)},${path}`]);
  }
  const tree = git(['write-tree']);
  const parents = ['mlv-registry', ...(merge === undefined ? [] : [merge])].flatMap((parent) => ['-p', parent]);
  const commit = git(['commit-tree', ...(sign ? ['-S'] : []), ...parents, '-m', 'forced in', tree]);
  git(['update-ref', 'refs/heads/mlv-registry', commit]);
  return commit;
}

/** Path and text of an event as mlv would write it. */
export function eventFile(event: RegistryEvent, seq: number): Record<string, string> {
  const text = encodeEvent(event);
  return { [eventPath(event.model, seq, sha256Of(text).slice(7, 19))]: text };
}

/** The codes that an audit finds: faults, and all. */
export async function auditCodes(cwd: string): Promise<{ faults: string[]; notes: string[] }> {
  const git = await openGit(cwd, { env: cleanEnvironment() });
  const now = Math.floor(Date.now() / 1000);
  const { findings } = await auditRegistry({ git, remote: undefined, fetch: false, interactive: false, now });
  const codes = (gravity: string): string[] =>
    [...new Set(findings.filter((each) => each.gravity === gravity).map(({ code }) => code))].sort();
  return { faults: codes('fault'), notes: codes('note') };
}
