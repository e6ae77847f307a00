import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { temporaryDirectory } from './temporary-directory.js';

/** An OpenSSH server on loopback, with a user's home that knows it. */
export interface SshServer {
  readonly port: number;
  readonly user: string;
  /** A home directory with a key that the server takes, and a `known_hosts` that has the server. */
  readonly home: string;
  /** Directory on the server that is fit to hold a remote. */
  readonly root: string;
  readonly privateKey: string;
  readonly knownHosts: string;
  url(path: string): string;
  /** Ends every connection, not the server. */
  dropConnections(): void;
  stop(): Promise<void>;
}

const PLACES = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'];
const STARTS = 5;
const SFTP_SERVERS = ['/usr/lib/openssh/sftp-server', '/usr/libexec/sftp-server', '/usr/lib/ssh/sftp-server'];

/** The sshd to test with: `MLV_TEST_SSHD`, or where systems have it; undefined where there is none. */
export function findSshd(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return environment.MLV_TEST_SSHD || PLACES.find((path) => existsSync(path));
}

export interface SshServerOptions {
  /** Further lines of its configuration. */
  config?: readonly string[];
}

/** Starts an sshd with keys and configuration of its own. */
export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const sshd = findSshd();
  if (sshd === undefined) throw new Error('no sshd: install openssh-server, or set MLV_TEST_SSHD');
  const directory = temporaryDirectory('sshd');
  const home = join(directory, 'home');
  const root = join(directory, 'root');
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  mkdirSync(root);
  const privateKey = join(home, '.ssh', 'id_ed25519');
  makeKey(privateKey);
  makeKey(join(directory, 'host_key'));
  makeKey(join(directory, 'host_rsa'), ['-t', 'rsa', '-b', '2048']);
  const knownHosts = join(home, '.ssh', 'known_hosts');
  const publicHostKey = readFileSync(join(directory, 'host_key.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  writeFileSync(join(directory, 'authorized_keys'), readFileSync(`${privateKey}.pub`));
  // Where the package makes it only when its service starts.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const { child, port } = await listening(sshd, directory, options.config ?? []);
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${publicHostKey}\n`);
  const user = userInfo().username;
  return {
    port,
    user,
    home,
    root,
    privateKey,
    knownHosts,
    url: (path) => `sftp://${user}@127.0.0.1:${port}${path}`,
    dropConnections: () => dropChildren(child.pid ?? 0),
    stop: async () => {
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      dropChildren(child.pid ?? 0);
      child.kill();
      await ended;
    },
  };
}

/** Makes a key pair without a comment; without a passphrase unless the arguments say otherwise. */
export function makeKey(path: string, args: readonly string[] = ['-t', 'ed25519'], passphrase = ''): void {
  execFileSync('ssh-keygen', ['-q', ...args, '-N', passphrase, '-C', '', '-f', path]);
  chmodSync(path, 0o600);
}

function sshdConfig(directory: string, port: number, more: readonly string[]): string {
  const server = SFTP_SERVERS.find((path) => existsSync(path)) ?? 'internal-sftp';
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(directory, 'host_key')}`,
    `HostKey ${join(directory, 'host_rsa')}`,
    `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
    `PidFile ${join(directory, 'pid')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'LogLevel ERROR',
    ...more,
    ...(more.some((line) => line.startsWith('Subsystem')) ? [] : [`Subsystem sftp ${server}`]),
    '',
  ].join('\n');
}

/** The processes that serve connections; the first of each is a child of the server. */
function dropChildren(parent: number): void {
  let children: string[];
  try {
    children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(parent)], { encoding: 'utf8' }).split('\n');
  } catch {
    // None.
    return;
  }
  for (const pid of children.map(Number).filter((each) => each > 0)) {
    dropChildren(pid);
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

/** Starts the program. It cannot choose a free port itself, and another process may be faster: then with the next one. */
async function listening(
  sshd: string,
  directory: string,
  more: readonly string[],
): Promise<{ child: ChildProcess; port: number }> {
  const config = join(directory, 'sshd_config');
  let log = '';
  for (let start = 0; start < STARTS; start++) {
    const port = await freePort();
    writeFileSync(config, sshdConfig(directory, port, more));
    const child = spawn(sshd, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      log += part;
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    while (child.exitCode === null && child.signalCode === null) {
      if (await answers(port)) return { child, port };
      await Promise.race([delay(50), ended]);
    }
  }
  throw new Error(`sshd did not start: ${log}`);
}

/** Whether an SSH server says something there. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', (greeting) => {
      resolve(greeting.toString('latin1').startsWith('SSH-'));
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.setTimeout(10_000, () => socket.destroy());
  });
}
