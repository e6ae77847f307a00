import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MlvError, systemErrorCode } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import {
  fingerprint,
  type HostVerdict,
  type KnownHost,
  KnownKeys,
  keyType,
  knownHostLine,
  knownName,
  parseKnownHosts,
} from './ssh-known-hosts.js';
import type { SshSettings } from './ssh-settings.js';

/** Algorithms by which a server can prove a key of a type. The ones that rest on SHA-1 are left out. */
const PROOFS: Record<string, string[]> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

interface Options {
  /** The remote, for messages. */
  url: string;
  acceptNew: boolean;
  onNotice?: ((message: string) => void) | undefined;
}

/** Decides whether a server is the one that it claims to be, by the user's known hosts. */
export class HostCheck {
  private accepted: Buffer | undefined;

  private constructor(
    private readonly settings: SshSettings,
    private readonly options: Options,
    private readonly keys: KnownKeys,
    private readonly name: string,
  ) {}

  /** Reads the known hosts; files that are not there know none. */
  static async load(settings: SshSettings, options: Options): Promise<HostCheck> {
    const files = await Promise.all(settings.knownHostsFiles.map(readOptional));
    const lines: KnownHost[] = files.flatMap(parseKnownHosts);
    const { alias, host, port } = settings;
    const name = alias?.toLowerCase() ?? knownName(host, port);
    const exact = new KnownKeys(lines, name);
    // As ssh does it: a key that is known for the host at port 22 is good at any port.
    const anyPort = new KnownKeys(lines, host.toLowerCase());
    const keys = alias === undefined && exact.types.length === 0 && !exact.onlyAuthority ? anyPort : exact;
    return new HostCheck(settings, options, keys, name);
  }

  /** What to ask the server's key to be, the known types first: a server has keys of several types. */
  get algorithms(): string[] {
    const known = this.keys.types.flatMap((type) => PROOFS[type] ?? []);
    return [...new Set([...known, ...Object.values(PROOFS).flat()])];
  }

  /**
   * Undefined for a key that may be trusted, which is written down where it is new and that is allowed; otherwise the
   * `REMOTE_DENIED` error.
   */
  async refuse(key: Buffer): Promise<MlvError | undefined> {
    const verdict = this.keys.verdict(key);
    if (verdict === 'known' || this.accepted?.equals(key)) return undefined;
    if (verdict === 'unknown' && this.options.acceptNew) {
      await this.remember(key);
      return undefined;
    }
    return this.denied(verdict, key);
  }

  private async remember(key: Buffer): Promise<void> {
    this.accepted = key;
    const [file] = this.settings.knownHostsFiles;
    if (file === undefined) return;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await appendFile(file, knownHostLine(this.name, key), { mode: 0o600 });
    } catch (cause) {
      throw new MlvError('REMOTE_DENIED', `the key of ${this.name} cannot be written to '${file}'`, { cause });
    }
    this.options.onNotice?.(`${this.name} is new: its key ${fingerprint(key)} was added to ${file}`);
  }

  private denied(verdict: HostVerdict, key: Buffer): MlvError {
    const shown = `${keyType(key)} ${fingerprint(key)}`;
    const reasons: Record<HostVerdict, string> = {
      known: 'is known',
      unknown: this.keys.onlyAuthority
        ? 'is known by a certificate authority only, which mlv does not check'
        : 'is not among the known hosts',
      changed: 'is not the one that the known hosts have: someone may be listening in, or the host was set up anew',
      revoked: 'was revoked',
    };
    const data = { url: this.options.url, host: this.name, fingerprint: fingerprint(key), verdict };
    const message = `no connection to ${this.options.url}: the key of ${this.name} (${shown}) ${reasons[verdict]}`;
    return new MlvError('REMOTE_DENIED', message, { hint: this.advice(verdict), data });
  }

  private advice(verdict: HostVerdict): string {
    const { host, port, knownHostsFiles } = this.settings;
    const [file = '~/.ssh/known_hosts'] = knownHostsFiles;
    const scan = `ssh-keyscan -p ${port} ${host} >> ${file}`;
    if (verdict === 'changed' || verdict === 'revoked') {
      return `ask the host's administrator for its key; when it is right: ssh-keygen -R ${inShellQuotes(this.name)} -f ${file} && ${scan}`;
    }
    return `compare the key with what the host's administrator says, then connect once (ssh -p ${port} ${host}), or: ${scan}`;
  }
}

async function readOptional(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return '';
  }
}
