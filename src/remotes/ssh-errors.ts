import { MlvError } from '../core/errors.js';
import { networkFailure } from './network-failure.js';
import type { SftpOptions } from './sftp-options.js';
import type { Identities } from './ssh-identity.js';
import type { SshSettings } from './ssh-settings.js';

/** Everything that a connection needs to know, looked up once. */
export interface SshAccess {
  options: SftpOptions;
  settings: SshSettings;
  identities: Identities;
}

/** The error of an attempt to connect, by the level at which ssh2 noticed it. */
export function connectionError(error: unknown, { options, settings, identities }: SshAccess): MlvError {
  const { url } = options;
  const { level } = error as { level?: string };
  const place = `${settings.host}:${settings.port}`;
  const make = (code: 'REMOTE_DENIED' | 'REMOTE_PERMANENT' | 'REMOTE_TRANSIENT', reason: string, hint?: string) =>
    new MlvError(code, `cannot connect to ${url}: ${reason}`, {
      ...(hint !== undefined && { hint }),
      cause: error,
      data: { url, host: settings.host, port: settings.port },
    });
  const said = error instanceof Error ? error.message : String(error);
  switch (level) {
    case 'client-authentication': {
      const names = identities.list.map(({ name }) => name).join(', then ');
      const hint = identities.hint ?? `try the same with: ssh -p ${settings.port} ${settings.user}@${settings.host}`;
      return make('REMOTE_DENIED', `${place} refused the user '${settings.user}' with ${names}`, hint);
    }
    case 'client-timeout':
      return make('REMOTE_TRANSIENT', `${place} did not answer in time`);
    case 'handshake':
      return make('REMOTE_PERMANENT', `${place} and mlv have no way to talk in common (${said})`);
    case 'sftp':
      return make('REMOTE_PERMANENT', `${place} offers no SFTP (${said})`);
    default: {
      const network = networkFailure(error, place);
      if (!network) return make('REMOTE_TRANSIENT', `the connection to ${place} failed (${said})`);
      return make(network.code as 'REMOTE_TRANSIENT', network.reason, network.hint);
    }
  }
}

/** The `CONFIG_INVALID` error for a host that ssh itself would reach in a way that mlv does not have. */
export function notSupported(directive: string, url: string): MlvError {
  return new MlvError(
    'CONFIG_INVALID',
    `cannot connect to ${url}: the SSH configuration of the host uses ${directive}`,
    {
      hint: 'mlv connects directly; forward a port with ssh -L and use that as the address, or mount the directory (sshfs)',
      data: { url, directive },
    },
  );
}

/** The `REMOTE_DENIED` error where there is no key at all. */
export function noIdentity(url: string, { tried, hint }: Identities): MlvError {
  return new MlvError('REMOTE_DENIED', `no key for ${url}: tried ${tried.join(', then ')}`, {
    hint: hint ?? 'make a key (ssh-keygen), give it to the server, and add it to the agent (ssh-add)',
    data: { url, tried },
  });
}
