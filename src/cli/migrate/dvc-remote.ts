import { isMlvError, MlvError } from '../../core/errors.js';
import { mapDvcRemote } from '../../interop/dvc-remote.js';
import { withLimit } from '../../remotes/limit.js';
import { openRemote } from '../../remotes/open.js';
import type { Remote, RemoteContent } from '../../remotes/remote.js';
import { withReporter } from '../../remotes/report.js';
import { withRetry } from '../../remotes/retry.js';
import type { OpenRepository } from '../context.js';
import type { Session } from '../session.js';
import type { DvcSettings } from './dvc-settings.js';

/** A remote of DVC that is open for reading. */
export interface OpenDvcRemote {
  name: string;
  remote: Remote;
  /** What is at the first of the keys that has something; undefined where none has. */
  get(keys: readonly string[]): Promise<RemoteContent | undefined>;
  /** Whether one of the keys has something. */
  has(keys: readonly string[]): Promise<boolean>;
}

/**
 * Opens the remote of DVC that is named, or DVC's default one; undefined where it has none. Nothing is ever written to
 * it. Errors: `REMOTE_NOT_CONFIGURED` for a name that it has not, or a kind that mlv has not; those of openRemote.
 */
export async function openDvcRemote(
  session: Session,
  repository: OpenRepository,
  { settings, named }: { settings: DvcSettings; named: string | undefined },
): Promise<OpenDvcRemote | undefined> {
  const { merged, committed, directory } = settings;
  const name = (named ?? merged.defaultRemote)?.toLowerCase();
  if (name === undefined) return undefined;
  const mapped = mapDvcRemote(name, merged.remotes, { directory });
  if ('problem' in mapped) {
    if (named === undefined) return undefined;
    throw new MlvError('REMOTE_NOT_CONFIGURED', `DVC's remote cannot be used: ${mapped.problem}`, {
      hint: 'bring the contents here with DVC first: dvc fetch --all-commits',
      data: { remote: name },
    });
  }
  const isCommitted = (key: string): boolean =>
    merged.remotes.get(name)?.get(key) === committed.remotes.get(name)?.get(key);
  const values = Object.entries({ ...mapped.settings, ...mapped.secrets });
  const plain = await openRemote(mapped.url, {
    ...Object.fromEntries(values.map(([key, value]) => [camelCase(key), key === 'path-style' ? true : value])),
    urlIsCommitted: isCommitted('url'),
    endpointIsCommitted: isCommitted('endpointurl'),
    onNotice: (message) => session.reporter.note(message),
    baseDirectory: directory,
    homeDirectory: session.home,
    environment: session.env,
  });
  const limited = withLimit(withReporter(plain, session.reporter), { most: repository.config.core.jobs });
  const remote = withRetry(limited, { signal: session.signal });
  return {
    name,
    remote,
    get: (keys) => firstOf(remote, keys, session.signal),
    has: async (keys) => {
      for (const key of keys) if (await remote.stat(key, { signal: session.signal })) return true;
      return false;
    },
  };
}

async function firstOf(
  remote: Remote,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<RemoteContent | undefined> {
  for (const key of keys) {
    try {
      return await remote.get(key, { signal });
    } catch (error) {
      if (!isMlvError(error, 'REMOTE_NOT_FOUND') || error.data.missing !== 'key') throw error;
    }
  }
  return undefined;
}

function camelCase(key: string): string {
  return key.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
