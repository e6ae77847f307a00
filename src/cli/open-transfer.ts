import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { RemoteSettings } from '../config/config.js';
import { MlvError } from '../core/errors.js';
import { withLimit } from '../remotes/limit.js';
import { Meter, type Traffic, withMeter } from '../remotes/meter.js';
import { openRemote } from '../remotes/open.js';
import type { Remote } from '../remotes/remote.js';
import { withRetry } from '../remotes/retry.js';
import { TransferSession } from '../transfer/session.js';
import type { OpenRepository } from './context.js';
import { unknownRemote } from './remote-name.js';
import type { Session } from './session.js';

/** A remote that is open for one command. */
export interface OpenTransfer {
  name: string;
  transfer: TransferSession;
  /** What travelled so far. */
  traffic(): Traffic;
  close(): Promise<void>;
}

/**
 * Opens a remote by its name, with retry, limit and count of what travels. Errors: `REMOTE_NOT_CONFIGURED`, those of
 * openRemote.
 */
export async function openTransfer(session: Session, repository: OpenRepository, name: string): Promise<OpenTransfer> {
  const { config, layout, cache } = repository;
  const settings = settingsOf(repository, name);
  const meter = new Meter();
  const plain = await openNamed(session, repository, name);
  const { reporter, signal } = session;
  const onRetry = ({ error, delayMs }: { error: MlvError; delayMs: number }): void => {
    if (delayMs >= 2000) reporter.note(`${error.message}; trying again in ${Math.round(delayMs / 1000)} s`);
  };
  const remote = withRetry(withLimit(withMeter(plain, meter), { most: config.core.jobs }), { signal, onRetry });
  const place = createHash('sha256')
    .update(`${plain.url}\n${settings.endpoint ?? ''}`)
    .digest('hex')
    .slice(0, 32);
  const transfer = new TransferSession({
    remote,
    name,
    cache,
    repositoryId: config.project?.repository ?? '',
    stateDirectory: join(layout.commonDir, 'mlv', 'remotes', place),
    jobs: config.core.jobs,
    reporter,
    signal,
  });
  return { name, transfer, traffic: () => meter.snapshot(), close: () => remote.close() };
}

/** A remote by its name, without retry: for one look at it. Errors as openTransfer. */
export function openNamed(session: Session, repository: OpenRepository, name: string): Promise<Remote> {
  const { url = '', ...settings } = settingsOf(repository, name);
  const isCommitted = (key: string): boolean => repository.config.origin(`remote.${name}.${key}`)?.level === 'project';
  return openRemote(url, {
    ...settings,
    urlIsCommitted: isCommitted('url'),
    endpointIsCommitted: isCommitted('endpoint'),
    onNotice: (message) => session.reporter.note(message),
    baseDirectory: repository.layout.worktree,
    homeDirectory: session.home,
    connections: Math.max(32, 2 * repository.config.core.jobs),
    environment: session.env,
  });
}

function settingsOf({ config }: OpenRepository, name: string): RemoteSettings {
  const settings = config.remotes.get(name);
  if (settings?.url === undefined) throw unknownRemote(name, config);
  return settings;
}

/** The remote that a command without an option for it uses. Error: `REMOTE_NOT_CONFIGURED`. */
export function defaultRemote({ config }: OpenRepository): string {
  const { remote } = config.core;
  if (remote !== undefined) return remote;
  const names = [...config.remotes.keys()];
  throw new MlvError('REMOTE_NOT_CONFIGURED', 'there is no default remote', {
    hint:
      names.length > 0
        ? `choose one of ${names.join(', ')}: mlv remote default <name>`
        : 'add one: mlv remote add origin <directory or s3://bucket/prefix>',
    data: { remotes: names },
  });
}
