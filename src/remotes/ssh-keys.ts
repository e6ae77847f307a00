import { readFile } from 'node:fs/promises';
import ssh2, {
  type IdentityCallback,
  type ParsedKey,
  type PublicKeyEntry,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2';
import { systemErrorCode } from '../core/errors.js';

const { utils } = ssh2;
type PublicKey = string | Buffer | ParsedKey;

/** A private key file that is there, or whose public half is. */
export interface KeyFile {
  path: string;
  /** True where only the public half is there: the private one may be in the agent. */
  onlyPublic?: true;
  /** The content; absent for a key that only the agent can use: encrypted, or in a form that ssh2 does not read. */
  content?: Buffer;
  /** The public key as the server sees it, where it is known. */
  publicKey?: Buffer;
}

/** Reads the private keys that are there, with their public halves. Files that cannot be read are passed over. */
export async function readKeyFiles(paths: readonly string[]): Promise<KeyFile[]> {
  const files = await Promise.all(paths.map(readKeyFile));
  return files.filter((file) => file !== undefined);
}

async function readKeyFile(path: string): Promise<KeyFile | undefined> {
  const content = await readOptional(path);
  const beside = await readOptional(`${path}.pub`);
  if (!content && !beside) return undefined;
  const key = content && usableKey(content);
  const publicKey = key?.getPublicSSH() ?? (beside && publicOf(beside));
  return {
    path,
    ...(!content && { onlyPublic: true }),
    ...(key && content && { content }),
    ...(publicKey && { publicKey }),
  };
}

async function readOptional(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

function usableKey(content: Buffer): ParsedKey | undefined {
  const parsed = utils.parseKey(content);
  return parsed instanceof Error || !parsed.isPrivateKey() ? undefined : parsed;
}

function publicOf(content: Buffer): Buffer | undefined {
  const parsed = utils.parseKey(content);
  return parsed instanceof Error ? undefined : parsed.getPublicSSH();
}

/**
 * An agent that offers the preferred keys first, or only these: servers end a connection that has offered too many
 * wrong ones.
 */
export class OrderedAgent extends ssh2.BaseAgent<PublicKey> {
  private readonly agent: ssh2.BaseAgent;

  constructor(
    socket: string,
    private readonly preferred: readonly Buffer[],
    private readonly only: boolean,
  ) {
    super();
    this.agent = ssh2.createAgent(socket);
  }

  override getIdentities(callback: IdentityCallback<PublicKey>): void {
    this.agent.getIdentities((error, keys) => {
      if (error || !keys) return callback(error ?? new Error('the agent gave no keys'));
      const rank = (key: PublicKey | PublicKeyEntry): number => {
        const at = this.preferred.findIndex((preferred) => preferred.equals(publicBytes(key)));
        return at < 0 ? this.preferred.length : at;
      };
      const ranked = keys.map((key) => ({ key, rank: rank(key) })).sort((a, b) => a.rank - b.rank);
      const offered = this.only ? ranked.filter((each) => each.rank < this.preferred.length) : ranked;
      callback(
        undefined,
        offered.map((each) => each.key),
      );
    });
  }

  override sign(
    key: PublicKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    if (typeof options === 'function') this.agent.sign(key, data, options);
    else this.agent.sign(key, data, options, callback);
  }

  /** How many keys it offers; undefined where no agent answers. */
  count(): Promise<number | undefined> {
    return new Promise((resolve) => this.getIdentities((error, keys) => resolve(error ? undefined : keys?.length)));
  }
}

function publicBytes(key: PublicKey | PublicKeyEntry): Buffer {
  if (Buffer.isBuffer(key)) return key;
  if (typeof key === 'string') return Buffer.from(key, 'base64');
  if ('getPublicSSH' in key) return key.getPublicSSH();
  return publicBytes(key.pubKey as PublicKey);
}
