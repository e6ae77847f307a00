import { homedir } from 'node:os';
import ssh2, { type Client, type ConnectConfig, type ServerHostKeyAlgorithm, type SFTPWrapper } from 'ssh2';
import { MlvError } from '../core/errors.js';
import type { SftpOptions } from './sftp-options.js';
import { SftpSession } from './sftp-session.js';
import { connectionError, noIdentity, notSupported, type SshAccess } from './ssh-errors.js';
import { HostCheck } from './ssh-host-check.js';
import { findIdentities } from './ssh-identity.js';
import { sshSettings } from './ssh-settings.js';

const READY_TIMEOUT_MS = 20_000;
const KEEPALIVE_MS = 15_000;
const KEEPALIVES_UNANSWERED = 4;
/** Reasons (RFC 4253, 11.1) that a server gives when too many keys were offered: protocol error, no more methods. */
const DISCONNECTED_FOR_KEYS = new Set([2, 14]);

/** Reads the user's SSH configuration and looks for keys. Errors: `CONFIG_INVALID`, `REMOTE_DENIED` without any key. */
export async function prepareAccess(options: SftpOptions): Promise<SshAccess> {
  const { url, homeDirectory = homedir(), environment = {}, identityFile } = options;
  const settings = await sshSettings(options, homeDirectory);
  if (settings.unsupported !== undefined) throw notSupported(settings.unsupported, url);
  const identities = await findIdentities({ settings, identityFile, environment });
  if (identities.list.length === 0) throw noIdentity(url, identities);
  return { options, settings, identities };
}

/**
 * Connects, checks the host's key, and opens SFTP. Errors: `REMOTE_DENIED` for a host or user that is not trusted,
 * `REMOTE_TRANSIENT` for a network that fails, `REMOTE_PERMANENT` for a server that speaks no SFTP or no common language.
 */
export async function connectSftp(access: SshAccess): Promise<SftpSession> {
  const { options, settings } = access;
  const acceptNew = options.knownHosts === 'accept-new';
  const check = await HostCheck.load(settings, { url: options.url, acceptNew, onNotice: options.onNotice });
  const client = new ssh2.Client();
  try {
    await logIn(client, access, check);
    // Small requests would otherwise wait for each other's acknowledgement, 40 ms each.
    client.setNoDelay(true);
    const sftp = await openSftp(client);
    return new SftpSession(client, sftp);
  } catch (error) {
    // A failure that comes late has nobody else to listen to it.
    client.on('error', () => undefined).destroy();
    throw error instanceof MlvError ? error : connectionError(error, access);
  }
}

function logIn(client: Client, access: SshAccess, check: HostCheck): Promise<void> {
  return new Promise((resolve, reject) => {
    let offered = 0;
    let refusal: unknown;
    client.on('error', (error) => {
      // The client goes on with the next key by itself.
      if (error.level === 'agent') return;
      const { code } = error as { code?: unknown };
      const refused = typeof code === 'number' && DISCONNECTED_FOR_KEYS.has(code) && offered > 0;
      reject(refusal ?? (refused ? Object.assign(error, { level: 'client-authentication' }) : error));
    });
    client.once('close', () => reject(refusal ?? Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
    client.once('ready', () => resolve());
    client.connect({
      ...connectionSettings(access, check),
      hostVerifier: (key: Buffer, verify: (trusted: boolean) => void) => {
        check.refuse(key).then(
          (error) => {
            refusal = error;
            verify(error === undefined);
          },
          (error: unknown) => {
            refusal = error;
            verify(false);
          },
        );
      },
      authHandler: (_left, _partial, next) => {
        const identity = access.identities.list[offered++];
        next(identity ? identity.method : (false as never));
      },
    });
  });
}

function connectionSettings({ settings }: SshAccess, check: HostCheck): ConnectConfig {
  return {
    host: settings.host,
    port: settings.port,
    username: settings.user,
    readyTimeout: READY_TIMEOUT_MS,
    keepaliveInterval: KEEPALIVE_MS,
    keepaliveCountMax: KEEPALIVES_UNANSWERED,
    algorithms: { serverHostKey: check.algorithms as ServerHostKeyAlgorithm[] },
  };
}

function openSftp(client: Client): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    const closed = (): void => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    client.once('close', closed);
    client.sftp((error, sftp) => {
      client.off('close', closed);
      if (error) reject(Object.assign(error, { level: 'sftp' }));
      else resolve(sftp);
    });
  });
}
