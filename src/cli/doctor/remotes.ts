import { isMlvError } from '../../core/errors.js';
import type { CredentialSource, Remote } from '../../remotes/remote.js';
import { REMOTE_INFO_KEY } from '../../transfer/remote-layout.js';
import type { OpenRepository } from '../context.js';
import { openNamed } from '../open-transfer.js';
import type { Session } from '../session.js';
import { type Check, ok } from './check.js';

/** A remote that says nothing for so long counts as not reachable. */
const PATIENCE_MS = 15_000;

/** Whether every remote answers, and with which credentials. */
export async function checkRemotes(session: Session, repository: OpenRepository): Promise<Check[]> {
  const names = [...repository.config.remotes.keys()];
  if (names.length > 0) {
    const checks = await Promise.all(names.map((name) => checkRemote(session, repository, name)));
    return [...checks, ...checkMirrors(repository)];
  }
  const hint = 'add one: mlv remote add origin <directory or s3://bucket/prefix>';
  return [{ name: 'remote', state: 'warning', message: 'no remote is configured', hint }];
}

/** A mirror of a remote that is not there is a mirror of nothing. */
function checkMirrors({ config: { remotes } }: OpenRepository): Check[] {
  return [...remotes].flatMap(([name, { mirrorOf }]): Check[] => {
    if (mirrorOf === undefined || (mirrorOf !== name && remotes.has(mirrorOf))) return [];
    const message = `it is a mirror of '${mirrorOf}', ${mirrorOf === name ? 'itself' : 'and there is no such remote'}`;
    const hint = `name the remote that it mirrors: mlv config set remote.${name}.mirror-of <remote>`;
    return [{ name: `remote ${name}`, state: 'warning', message, hint }];
  });
}

async function checkRemote(session: Session, repository: OpenRepository, name: string): Promise<Check> {
  const label = `remote ${name}`;
  let remote: Remote | undefined;
  let credentials: CredentialSource | undefined;
  try {
    remote = await openNamed(session, repository, name);
    credentials = await remote.describeCredentials?.();
    const used = await inUse(remote, session.signal);
    const by = credentials ? `, credentials from ${credentials.name}` : '';
    const data = { url: remote.url, inUse: used, credentials: credentials?.name ?? null };
    return ok(label, `${remote.url} answers${by}${used ? '' : '; nothing was pushed to it yet'}`, data);
  } catch (error) {
    const { message, hint, code } = isMlvError(error)
      ? error
      : { message: String(error), hint: undefined, code: 'INTERNAL' };
    const data = { url: remote?.url ?? null, credentials: credentials?.name ?? null, code };
    return { name: label, state: 'problem', message, ...(hint === undefined ? {} : { hint }), data };
  } finally {
    await remote?.close();
  }
}

/** False for a place where nothing is yet: a push makes it. */
async function inUse(remote: Remote, signal: AbortSignal): Promise<boolean> {
  try {
    const entry = await remote.stat(REMOTE_INFO_KEY, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    return entry !== undefined;
  } catch (error) {
    if (isMlvError(error, 'REMOTE_NOT_FOUND') && error.data.missing === 'directory') return false;
    throw error;
  }
}
