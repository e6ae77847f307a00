import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { MlvError, systemErrorCode } from '../core/errors.js';

/** Where an SSH URL leads, before the user's SSH configuration was asked. */
export interface SshTarget {
  host: string;
  user?: string | undefined;
  port?: number | undefined;
}

/** Where an SSH connection goes, and with what. */
export interface SshSettings {
  host: string;
  port: number;
  user: string;
  /** Under which the host is known in place of its own name. */
  alias?: string;
  /** Private keys, in the order to be tried; most need not exist. */
  identityFiles: string[];
  /** True when keys of the agent that are not among the identity files are not offered. */
  identitiesOnly: boolean;
  /** Socket of the agent; `none` for no agent, undefined for the one of the environment. */
  agent?: string;
  /** The first one is where new hosts are added. */
  knownHostsFiles: string[];
  /** The directive that the connection would need and mlv does not have. */
  unsupported?: string;
}

const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];
const TIMEOUT_MS = 10_000;

/**
 * What `ssh` itself would use for a host: its own reading of `~/.ssh/config` (`ssh -G`), with all that it may hold.
 * Where no ssh is installed, the defaults. Error: `CONFIG_INVALID` for a configuration that ssh refuses.
 */
export async function sshSettings(target: SshTarget, home: string): Promise<SshSettings> {
  const text = await askSsh(target, home);
  return parseSshSettings(text, target, home);
}

/** Reads what `ssh -G` prints; what it does not say is as without a configuration. */
export function parseSshSettings(text: string, target: SshTarget, home: string): SshSettings {
  const lines = text.split('\n').map((line) => {
    const space = line.indexOf(' ');
    return space < 0 ? [line, ''] : [line.slice(0, space).toLowerCase(), line.slice(space + 1).trim()];
  });
  const all = (name: string): string[] => lines.flatMap(([key, value]) => (key === name && value ? [value] : []));
  const last = (name: string): string | undefined => all(name).at(-1);
  const path = (value: string): string => expand(value, home);
  const identityFiles = all('identityfile').map(path);
  const knownHosts = [...all('userknownhostsfile'), ...all('globalknownhostsfile')].flatMap((files) =>
    files.split(/\s+/),
  );
  const agent = last('identityagent');
  const alias = last('hostkeyalias');
  const unsupported = ['proxyjump', 'proxycommand'].find((name) => (last(name) ?? 'none') !== 'none');
  return {
    host: last('hostname') ?? target.host,
    port: Number(last('port') ?? target.port ?? 22),
    user: last('user') ?? target.user ?? userInfo().username,
    ...(alias !== undefined && { alias }),
    identityFiles: identityFiles.length > 0 ? identityFiles : DEFAULT_KEYS.map((name) => join(home, '.ssh', name)),
    identitiesOnly: last('identitiesonly') === 'yes',
    ...(agent !== undefined && agent !== 'SSH_AUTH_SOCK' && { agent: path(agent) }),
    knownHostsFiles: (knownHosts.length > 0 ? knownHosts : ['~/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts']).map(
      path,
    ),
    ...(unsupported !== undefined && { unsupported }),
  };
}

function expand(path: string, home: string): string {
  const own = homedirOf();
  if (path === '~' || path.startsWith('~/')) return join(home, path.slice(1));
  if (path.startsWith('%d/')) return join(home, path.slice(3));
  return path.startsWith(`${own}/`) ? join(home, path.slice(own.length)) : path;
}

/** The home that ssh takes, which is the one of the account and not the one of the environment. */
function homedirOf(): string {
  try {
    return userInfo().homedir;
  } catch {
    // An account without an entry, as in some containers.
    return homedir();
  }
}

function askSsh({ host, user, port }: SshTarget, home: string): Promise<string> {
  const args = ['-G'];
  if (home !== homedirOf()) {
    const file = join(home, '.ssh', 'config');
    args.push('-F', existsSync(file) ? file : 'none');
  }
  if (user !== undefined) args.push('-l', user);
  if (port !== undefined) args.push('-p', String(port));
  args.push('--', host);
  return runSsh(args);
}

function runSsh(args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('ssh', args, { timeout: TIMEOUT_MS, windowsHide: true }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (systemErrorCode(error) === 'ENOENT') return resolve('');
      const said = stderr.trim().split('\n')[0] ?? '';
      reject(
        new MlvError('CONFIG_INVALID', `ssh cannot read its configuration: ${said}`, {
          hint: `correct ~/.ssh/config; this must work: ssh ${args.join(' ')}`,
          cause: error,
        }),
      );
    });
  });
}
