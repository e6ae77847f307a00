/** A commit or tag taken apart: who, when, and what was signed by what. */
export interface SignedObject {
  /** Of a commit: its parents. Hex. */
  parents: string[];
  /** Of a tag: what it points to, hex; of a commit: its tree. */
  target: string;
  /** Of a tag: its name and the kind of its target. */
  tag?: string;
  targetKind?: string;
  /** Of a commit. */
  author?: GitPerson;
  /** Of a commit the committer, of a tag the tagger. */
  committer?: GitPerson;
  message: string;
  /** The armour, where there is one. */
  signature: string | undefined;
  /** The bytes that the signature covers. */
  payload: Buffer;
}

export interface GitPerson {
  name: string;
  mail: string;
  /** Seconds since 1970. */
  time: number;
}

/** What a signature proves by itself. Whether its key may speak for anyone is the policy's to say. */
export type GitSignature =
  | { kind: 'none' }
  /** It fits; `key` is `SHA256:…` of an SSH key, or the fingerprint of an OpenPGP key in hex. */
  | { kind: 'made'; key: string }
  /** An OpenPGP key that nobody named. */
  | { kind: 'unknown'; key: string }
  | { kind: 'bad'; why: string };

/** What is known of a public key. */
export interface KeyFacts {
  fingerprint: string;
  /** When the key says itself that it ends: seconds since 1970. */
  expires?: number;
}

/** A commit or tag with what its signature proves. */
export interface CheckedObject extends SignedObject {
  proof: GitSignature;
}

/** Reads commits and tags with what their signatures prove. Close it when done. */
export interface Signatures {
  /** Takes public keys in (OpenSSH, or armoured OpenPGP), so that their signatures can be checked and keyFacts knows them. */
  learn(keys: readonly string[]): Promise<void>;
  /** What is known of a key that was learnt; undefined where it cannot be read. */
  readonly keyFacts: (key: string) => KeyFacts | undefined;
  /** Commits and tags by their name in hex, read by one Git process. `GIT_FAILED` where one is not there. */
  read(names: readonly string[]): Promise<Map<string, CheckedObject>>;
  close(): void;
}

const SIGNATURE_HEADERS = ['gpgsig', 'gpgsig-sha256'];
const ARMOUR_BEGINNINGS = [
  '-----BEGIN SSH SIGNATURE-----',
  '-----BEGIN PGP SIGNATURE-----',
  '-----BEGIN SIGNED MESSAGE-----',
];

/**
 * Takes the raw bytes of a commit or tag apart. As Git does, a commit's signature is a header, which is not among what
 * it covers; a tag's stands at the end of its message. Never fails: what is absent stays empty.
 */
export function parseSignedObject(bytes: Buffer): SignedObject {
  const end = bytes.indexOf('\n\n');
  const header = end < 0 ? bytes : bytes.subarray(0, end + 1);
  const body = end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 2);
  const read: SignedObject = { parents: [], target: '', message: '', signature: undefined, payload: bytes };
  const kept: Buffer[] = [];
  for (const { name, value, raw } of headers(header)) {
    if (SIGNATURE_HEADERS.includes(name)) read.signature ??= value;
    else {
      kept.push(raw);
      takeHeader(read, name, value);
    }
  }
  if (read.signature !== undefined) {
    read.payload = Buffer.concat([...kept, bytes.subarray(end < 0 ? bytes.length : end + 1)]);
    read.message = body.toString('utf8');
  } else takeBody(read, { bytes, body });
  return read;
}

interface Header {
  name: string;
  value: string;
  /** With its continuation lines and newlines. */
  raw: Buffer;
}

function* headers(bytes: Buffer): Generator<Header> {
  let start = 0;
  while (start < bytes.length) {
    let end = bytes.indexOf(10, start);
    while (end >= 0 && bytes[end + 1] === 32) end = bytes.indexOf(10, end + 1);
    const raw = bytes.subarray(start, end < 0 ? bytes.length : end + 1);
    const text = raw.toString('utf8').replace(/\n$/, '');
    const space = text.indexOf(' ');
    yield { name: text.slice(0, space), value: text.slice(space + 1).replaceAll('\n ', '\n'), raw };
    start += raw.length;
  }
}

function takeHeader(read: SignedObject, name: string, value: string): void {
  if (name === 'parent') read.parents.push(value);
  else if (name === 'tree' || name === 'object') read.target ||= value;
  else if (name === 'type') read.targetKind ??= value;
  else if (name === 'tag') read.tag ??= value;
  else if (name === 'author') read.author ??= person(value);
  else if (name === 'committer' || name === 'tagger') read.committer ??= person(value);
}

function person(text: string): GitPerson {
  const match = /^(.*?) ?<([^<>]*)> (-?\d+) [+-]\d+$/.exec(text);
  return { name: match?.[1] ?? '', mail: match?.[2] ?? '', time: Number(match?.[3] ?? 0) };
}

function takeBody(read: SignedObject, { bytes, body }: { bytes: Buffer; body: Buffer }): void {
  const starts = ARMOUR_BEGINNINGS.map((beginning) => lineStart(body, beginning)).filter((at) => at >= 0);
  const at = read.tag === undefined || starts.length === 0 ? body.length : Math.min(...starts);
  read.message = body.subarray(0, at).toString('utf8');
  if (at === body.length) return;
  read.signature = body.subarray(at).toString('utf8');
  read.payload = bytes.subarray(0, bytes.length - (body.length - at));
}

function lineStart(body: Buffer, beginning: string): number {
  if (body.indexOf(beginning) === 0) return 0;
  const at = body.lastIndexOf(`\n${beginning}`);
  return at < 0 ? -1 : at + 1;
}
