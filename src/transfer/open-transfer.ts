import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Config } from '../config/config.js';
import { remoteSettings } from '../config/remote-choice.js';
import type { MlvError } from '../core/errors.js';
import type { Reporter } from '../core/reporter.js';
import { withLimit } from '../remotes/limit.js';
import { parseLocation } from '../remotes/location.js';
import { Meter, type Traffic, withMeter } from '../remotes/meter.js';
import { loadRemoteCode, openRemote } from '../remotes/open.js';
import type { Remote } from '../remotes/remote.js';
import { withReporter } from '../remotes/report.js';
import { withRetry } from '../remotes/retry.js';
import type { Repository } from '../workspace/repository.js';
import { TransferSession } from './session.js';

/** What every transfer of a command works with. */
export interface TransferContext {
  readonly repository: Repository & { readonly config: Config };
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  /** The user's environment: standard credentials of the services. */
  readonly environment: NodeJS.ProcessEnv;
  /** The user's home directory. */
  readonly home: string;
}

/** A remote that is open for one command. */
export interface OpenTransfer {
  name: string;
  transfer: TransferSession;
  /** What travelled so far. */
  traffic(): Traffic;
  close(): Promise<void>;
}

/** A pause before the next try that is worth a word. */
const NOTED_PAUSE_MS = 2000;

/**
 * Opens a remote by its name, with retry, limit and count of what travels. Errors: `REMOTE_NOT_CONFIGURED`, those of
 * openRemote.
 */
export async function openTransfer(context: TransferContext, name: string): Promise<OpenTransfer> {
  const { repository, reporter, signal } = context;
  const { config, layout, cache } = repository;
  const settings = remoteSettings(config, name);
  const meter = new Meter();
  const plain = await openNamed(context, name);
  const onRetry = ({ error, delayMs }: { error: MlvError; delayMs: number }): void => {
    if (delayMs >= NOTED_PAUSE_MS) reporter.note(`${error.message}; trying again in ${Math.round(delayMs / 1000)} s`);
  };
  const shown = withReporter(withMeter(plain, meter), reporter);
  const remote = withRetry(withLimit(shown, { most: config.core.jobs }), { signal, onRetry });
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
    compress: compresses(context, settings),
    reporter,
    signal,
  });
  return { name, transfer, traffic: () => meter.snapshot(), close: () => remote.close() };
}

/**
 * Loads the code for the named remotes, or the default one, which will most probably be opened. To be called when
 * processes or requests are under way, since it takes the processor alone; never fails.
 */
export async function loadCode(context: TransferContext, named: readonly string[]): Promise<void> {
  const { repository, home: homeDirectory } = context;
  const { config, layout } = repository;
  const names = named.length > 0 ? named : [config.core.remote ?? ''];
  const urls = names.flatMap((name) => config.remotes.get(name)?.url ?? []);
  await setImmediate();
  const load = (url: string): Promise<void> => loadRemoteCode(url, { baseDirectory: layout.worktree, homeDirectory });
  await Promise.allSettled(urls.map(load));
}

/** A disk takes bytes faster than they can be made fewer, a network seldom does. */
function compresses(
  { repository, home }: TransferContext,
  { url, compression }: ReturnType<typeof remoteSettings>,
): boolean {
  if (compression !== undefined) return compression === 'auto';
  return parseLocation(url, { baseDirectory: repository.layout.worktree, homeDirectory: home }).scheme !== 'directory';
}

/** A remote by its name, without retry: for one look at it. Errors as openTransfer. */
export async function openNamed(context: TransferContext, name: string): Promise<Remote> {
  const { config, layout } = context.repository;
  const { url, mirrorOf: _mirrorOf, ...settings } = remoteSettings(config, name);
  const isCommitted = (key: string): boolean => config.origin(`remote.${name}.${key}`)?.level === 'project';
  return openRemote(url, {
    ...settings,
    urlIsCommitted: isCommitted('url'),
    endpointIsCommitted: isCommitted('endpoint'),
    onNotice: (message) => context.reporter.note(message),
    baseDirectory: layout.worktree,
    homeDirectory: context.home,
    connections: Math.max(32, 2 * config.core.jobs),
    environment: context.environment,
  });
}
