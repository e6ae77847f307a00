import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';

/** What came of looking at a signature: the key that made it, or why it does not hold. */
export type SshVerdict = { fingerprint: string } | { problem: string };

const BEGIN = '-----BEGIN SSH SIGNATURE-----';
const END = '-----END SSH SIGNATURE-----';
const MAGIC = Buffer.from('SSHSIG');
/** Bit that a security key sets when a person touched it. */
const USER_PRESENT = 0x01;
/** RSA keys below this are refused, as OpenSSH does. */
const LEAST_RSA_BITS = 2048;
/** No key or signature of OpenSSH comes near this. */
const MAX_ARMOUR = 64 * 1024;

/**
 * Checks an armoured OpenSSH signature (`ssh-keygen -Y sign`) over `message` in a namespace; Git's is `git`. Which
 * person the key belongs to is not decided here. Pure, so that a chain of any length needs no process. Format:
 * PROTOCOL.sshsig of OpenSSH; for security keys PROTOCOL.u2f.
 */
export function verifySshSignature(armour: string, message: Uint8Array, namespace: string): SshVerdict {
  try {
    const parts = readArmour(armour);
    if (parts.namespace !== namespace) return { problem: `it was made for '${parts.namespace}', not '${namespace}'` };
    const digest = createHash(parts.hash).update(message).digest();
    const signed = Buffer.concat([
      MAGIC,
      field(parts.namespace),
      field(parts.reserved),
      field(parts.hash),
      field(digest),
    ]);
    const problem = checkSignature(parts, signed);
    return problem === undefined ? { fingerprint: sshFingerprint(parts.key) } : { problem };
  } catch (error) {
    if (error instanceof SshFormatError) return { problem: error.message };
    return { problem: 'its key or signature cannot be read' };
  }
}

/** The fingerprint of a key's blob as `ssh-keygen -l` prints it: `SHA256:…`. */
export function sshFingerprint(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/**
 * The fingerprint of a public key as it stands in `~/.ssh/*.pub` (`ssh-ed25519 AAAA… comment`), or undefined where the
 * text is no key of a kind that is understood.
 */
export function sshKeyFingerprint(text: string): string | undefined {
  const [type, base64 = ''] = text.trim().split(/\s+/);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || text.length > MAX_ARMOUR) return undefined;
  const blob = Buffer.from(base64, 'base64');
  try {
    if (readPublicKey(blob).type !== type) return undefined;
    return sshFingerprint(blob);
  } catch {
    return undefined;
  }
}

class SshFormatError extends Error {}

interface SignatureParts {
  key: Buffer;
  namespace: string;
  reserved: Buffer;
  hash: 'sha256' | 'sha512';
  algorithm: string;
  /** What follows the algorithm in the signature's blob. */
  rest: FieldReader;
}

function readArmour(armour: string): SignatureParts {
  const text = armour.trim();
  if (!text.startsWith(BEGIN) || !text.endsWith(END) || text.length > MAX_ARMOUR) {
    throw new SshFormatError('it is no SSH signature');
  }
  const reader = new FieldReader(Buffer.from(text.slice(BEGIN.length, -END.length).replace(/\s+/g, ''), 'base64'));
  if (!reader.take(MAGIC.length).equals(MAGIC) || reader.number() !== 1) {
    throw new SshFormatError('it is no SSH signature of version 1');
  }
  const key = reader.field();
  const namespace = reader.field().toString('utf8');
  const reserved = reader.field();
  const hash = reader.field().toString('latin1');
  if (hash !== 'sha256' && hash !== 'sha512') throw new SshFormatError('its hash function is not understood');
  const signature = new FieldReader(reader.field());
  return { key, namespace, reserved, hash, algorithm: signature.field().toString('latin1'), rest: signature };
}

interface PublicKey {
  type: string;
  key: KeyObject;
  /** The application of a security key. */
  application?: Buffer;
}

function readPublicKey(blob: Buffer): PublicKey {
  const reader = new FieldReader(blob);
  const type = reader.field().toString('latin1');
  if (type === 'ssh-ed25519') return { type, key: edwardsKey(reader.field()) };
  if (type === 'sk-ssh-ed25519@openssh.com') {
    return { type, key: edwardsKey(reader.field()), application: reader.field() };
  }
  if (type === 'ssh-rsa') return { type, key: rsaKey(reader) };
  if (/^ecdsa-sha2-nistp(256|384|521)$/.test(type)) return { type, key: curveKey(reader) };
  if (type === 'sk-ecdsa-sha2-nistp256@openssh.com') {
    return { type, key: curveKey(reader), application: reader.field() };
  }
  throw new SshFormatError('its kind of key is not understood');
}

function edwardsKey(bytes: Buffer): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }, format: 'jwk' });
}

function rsaKey(reader: FieldReader): KeyObject {
  const [e, n] = [reader.field(), reader.field()].map((part) => unsigned(part).toString('base64url'));
  const key = createPublicKey({ key: { kty: 'RSA', e: e as string, n: n as string }, format: 'jwk' });
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_RSA_BITS) {
    throw new SshFormatError(`its RSA key is shorter than ${LEAST_RSA_BITS} bits`);
  }
  return key;
}

const CURVES: Record<string, { crv: string; bytes: number }> = {
  nistp256: { crv: 'P-256', bytes: 32 },
  nistp384: { crv: 'P-384', bytes: 48 },
  nistp521: { crv: 'P-521', bytes: 66 },
};

function curveKey(reader: FieldReader): KeyObject {
  const curve = CURVES[reader.field().toString('latin1')];
  const point = reader.field();
  if (!curve || point[0] !== 4 || point.length !== 1 + 2 * curve.bytes) {
    throw new SshFormatError('its elliptic curve is not understood');
  }
  const [x, y] = [point.subarray(1, 1 + curve.bytes), point.subarray(1 + curve.bytes)];
  const key = { kty: 'EC', crv: curve.crv, x: x.toString('base64url'), y: y.toString('base64url') };
  return createPublicKey({ key, format: 'jwk' });
}

/** Why the signature does not hold, or undefined where it does. */
function checkSignature({ key: blob, algorithm, rest }: SignatureParts, signed: Buffer): string | undefined {
  const { type, key, application } = readPublicKey(blob);
  const signature = rest.field();
  const wrong = 'it does not fit what was signed';
  if (type === 'ssh-rsa') {
    if (algorithm !== 'rsa-sha2-512' && algorithm !== 'rsa-sha2-256') return `its algorithm '${algorithm}' is too weak`;
    return verify(algorithm === 'rsa-sha2-512' ? 'sha512' : 'sha256', signed, key, signature) ? undefined : wrong;
  }
  if (algorithm !== type) return 'its algorithm is not that of its key';
  const message = application === undefined ? signed : touchedMessage(application, rest, signed);
  if (message === undefined) return 'nobody touched the security key';
  if (key.asymmetricKeyType === 'ed25519') return verify(null, message, key, signature) ? undefined : wrong;
  const bytes = CURVES[/nistp\d+/.exec(type)?.[0] ?? '']?.bytes ?? 0;
  const hash = { 32: 'sha256', 48: 'sha384', 66: 'sha512' }[bytes] as string;
  const pair = curveSignature(signature, bytes);
  return verify(hash, message, { key, dsaEncoding: 'ieee-p1363' }, pair) ? undefined : wrong;
}

/** What a security key signs in place of the message; undefined where nobody touched it. */
function touchedMessage(application: Buffer, rest: FieldReader, signed: Buffer): Buffer | undefined {
  const end = rest.take(5);
  if (((end[0] as number) & USER_PRESENT) === 0) return undefined;
  const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
  return Buffer.concat([sha256(application), end, sha256(signed)]);
}

function curveSignature(signature: Buffer, bytes: number): Buffer {
  const reader = new FieldReader(signature);
  const pair = [reader.field(), reader.field()].map((part) => {
    const number = unsigned(part);
    if (number.length > bytes) throw new SshFormatError('its signature is too long for its curve');
    return Buffer.concat([Buffer.alloc(bytes - number.length), number]);
  });
  return Buffer.concat(pair);
}

/** A number of several words without the zeros before it. */
function unsigned(number: Buffer): Buffer {
  let start = 0;
  while (start < number.length && number[start] === 0) start += 1;
  return number.subarray(start);
}

function field(content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Reads fields with their length in front; ends with an error where the bytes do. */
class FieldReader {
  private at = 0;
  constructor(private readonly bytes: Buffer) {}

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new SshFormatError('it is cut off');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  number(): number {
    return this.take(4).readUInt32BE();
  }

  field(): Buffer {
    return this.take(this.number());
  }
}
