import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemErrorCode } from '../core/errors.js';
import type { GitSignature, KeyFacts } from './signed-object.js';

/** Checks at once. */
const WORKERS = 4;
/** Status lines that say that the signature fits the message, whatever became of the key since. */
const FITS = ['GOODSIG', 'EXPKEYSIG'];

/**
 * OpenPGP signatures, checked by `gpg` with a key ring of its own: that of the user is not looked at. Close it when
 * done. Where there is no gpg, no signature can be checked, and each says so.
 */
export class OpenPgpRing {
  private home: string | undefined;
  private readonly known = new Map<string, KeyFacts | undefined>();
  private count = 0;

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  /** Takes an armoured public key in; its fingerprint, or undefined where it is no key or there is no gpg. */
  async add(armour: string): Promise<KeyFacts | undefined> {
    if (!this.known.has(armour)) this.known.set(armour, await this.import(armour));
    return this.known.get(armour);
  }

  /** Checks detached signatures over their payloads. */
  async verify(items: readonly { signature: string; payload: Buffer }[]): Promise<GitSignature[]> {
    const verdicts: GitSignature[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < items.length) {
        const at = next++;
        verdicts[at] = await this.verifyOne(items[at] as { signature: string; payload: Buffer });
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    return verdicts;
  }

  close(): void {
    if (this.home !== undefined) rmSync(this.home, { recursive: true, force: true });
    this.home = undefined;
  }

  private async import(armour: string): Promise<KeyFacts | undefined> {
    if (!armour.includes('BEGIN PGP PUBLIC KEY BLOCK')) return undefined;
    const shown = await this.gpg(['--with-colons', '--import-options', 'show-only', '--import'], armour);
    const rows = shown?.split('\n').map((line) => line.split(':')) ?? [];
    const keys = rows.filter(([kind]) => kind === 'pub');
    const fingerprint = rows.find(([kind]) => kind === 'fpr')?.[9];
    if (keys.length !== 1 || fingerprint === undefined) return undefined;
    await this.gpg(['--import'], armour);
    const expires = Number(keys[0]?.[6] ?? 0);
    return { fingerprint, ...(expires > 0 ? { expires } : {}) };
  }

  private async verifyOne({ signature, payload }: { signature: string; payload: Buffer }): Promise<GitSignature> {
    const file = join(this.directory(), `signature-${this.count++}`);
    writeFileSync(file, signature, { mode: 0o600 });
    try {
      const status = await this.gpg(['--status-fd', '1', '--verify', file, '-'], payload);
      return status === undefined
        ? { kind: 'bad', why: 'gpg is not installed here, so it was not checked' }
        : read(status);
    } finally {
      rmSync(file, { force: true });
    }
  }

  private directory(): string {
    this.home ??= mkdtempSync(join(tmpdir(), 'mlv-gpg-'));
    return this.home;
  }

  /** What gpg printed on standard output, whatever its exit code; undefined where there is no gpg. */
  private gpg(args: readonly string[], input: string | Buffer): Promise<string | undefined> {
    const options = ['--homedir', this.directory(), '--batch', '--no-tty', '--no-auto-key-retrieve', '--no-options'];
    return new Promise((resolve, reject) => {
      const child = spawn('gpg', [...options, ...args], { env: this.env, stdio: ['pipe', 'pipe', 'ignore'] });
      const output: Buffer[] = [];
      child.on('error', (error) => (systemErrorCode(error) === 'ENOENT' ? resolve(undefined) : reject(error)));
      child.stdout.on('data', (part: Buffer) => output.push(part));
      child.stdin.on('error', () => {});
      child.on('close', () => resolve(Buffer.concat(output).toString('utf8')));
      child.stdin.end(input);
    });
  }
}

function read(status: string): GitSignature {
  const rows = status.split('\n').flatMap((line) => {
    const [mark, word = '', ...fields] = line.split(' ');
    return mark === '[GNUPG:]' ? [{ word, fields }] : [];
  });
  const verdicts = rows.filter(({ word }) => /^(GOODSIG|EXPSIG|EXPKEYSIG|REVKEYSIG|BADSIG|ERRSIG)$/.test(word));
  const [verdict] = verdicts;
  if (!verdict || verdicts.length !== 1) return { kind: 'bad', why: 'it is not one signature' };
  if (verdict.word === 'ERRSIG') return { kind: 'unknown', key: verdict.fields[0] ?? '' };
  if (verdict.word === 'REVKEYSIG') return { kind: 'bad', why: 'its key says itself that it is revoked' };
  if (verdict.word === 'EXPSIG') return { kind: 'bad', why: 'the signature has expired' };
  const valid = rows.find(({ word }) => word === 'VALIDSIG')?.fields;
  if (!FITS.includes(verdict.word) || valid === undefined)
    return { kind: 'bad', why: 'it does not fit what was signed' };
  return { kind: 'made', key: valid[9] ?? valid[0] ?? '' };
}
