import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './temporary-directory.js';

/** A key to sign with, made for one test. */
export interface SigningKey {
  /** The public key as a policy names it. */
  publicKey: string;
  /** Git settings with which commits are signed by it. */
  settings: Record<string, string>;
  /** What its Git needs in the environment. */
  env: Record<string, string>;
}

/** Makes an SSH key with ssh-keygen. */
export function sshKey(type: 'ed25519' | 'ecdsa' | 'rsa' = 'ed25519'): SigningKey {
  const file = join(temporaryDirectory('ssh-key'), 'key');
  const bits = { ed25519: [], ecdsa: ['-b', '384'], rsa: ['-b', '2048'] }[type];
  execFileSync('ssh-keygen', ['-q', '-t', type, ...bits, '-N', '', '-C', 'a comment', '-f', file], { stdio: 'pipe' });
  const publicKey = readFileSync(`${file}.pub`, 'utf8').trim();
  return { publicKey, settings: { 'gpg.format': 'ssh', 'user.signingkey': `${file}.pub` }, env: {} };
}

/** Makes an OpenPGP key with gpg, in a home of its own; `expires` as gpg reads it, such as `20300101T000000`. */
export function openPgpKey(mail: string, options: { expires?: string; now?: string } = {}): SigningKey {
  const home = temporaryDirectory('g');
  const gpg = (...args: string[]): string =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', ...args], { encoding: 'utf8', stdio: 'pipe' });
  const times = options.now === undefined ? [] : ['--faked-system-time', options.now];
  gpg(
    ...times,
    '--passphrase',
    '',
    '--quick-generate-key',
    `Test <${mail}>`,
    'ed25519',
    'sign',
    options.expires ?? '0',
  );
  const settings = { 'gpg.format': 'openpgp', 'user.signingkey': mail };
  return { publicKey: gpg('--armor', '--export', mail), settings, env: { GNUPGHOME: home } };
}

/** `git -c …` arguments that sign with a key. */
export function signWith(key: SigningKey): string[] {
  return Object.entries(key.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
