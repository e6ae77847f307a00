import { readObjects } from './blobs.js';
import type { GitContext } from './context.js';
import { OpenPgpRing } from './openpgp.js';
import {
  type CheckedObject,
  type GitSignature,
  type KeyFacts,
  parseSignedObject,
  type Signatures,
} from './signed-object.js';
import { sshKeyFingerprint, verifySshSignature } from './ssh-signature.js';

/**
 * Reads commits and tags with their signatures. SSH signatures are checked in this process, OpenPGP ones by gpg with the
 * keys that it was taught; the user's own configuration and key rings are never looked at. Close it when done.
 */
export class SignatureReader implements Signatures {
  private readonly ring: OpenPgpRing;
  private readonly facts = new Map<string, KeyFacts | undefined>();

  constructor(private readonly context: GitContext) {
    this.ring = new OpenPgpRing(context.env);
  }

  /** Takes public keys in (OpenSSH, or armoured OpenPGP), so that their signatures can be checked and keyFacts knows them. */
  async learn(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      if (this.facts.has(key)) continue;
      const ssh = sshKeyFingerprint(key);
      this.facts.set(key, ssh === undefined ? await this.ring.add(key) : { fingerprint: ssh });
    }
  }

  /** What is known of a key that was learnt; undefined where it cannot be read. */
  readonly keyFacts = (key: string): KeyFacts | undefined => this.facts.get(key);

  /** Commits and tags by name, with one Git process. Errors as readObjects. */
  async read(names: readonly string[]): Promise<Map<string, CheckedObject>> {
    const found = new Map<string, CheckedObject>();
    const openPgp: CheckedObject[] = [];
    for (const [name, bytes] of await readObjects(this.context, names, ['commit', 'tag'])) {
      const object: CheckedObject = { ...parseSignedObject(bytes), proof: { kind: 'none' } };
      found.set(name, object);
      if (object.signature?.startsWith('-----BEGIN PGP')) openPgp.push(object);
      else if (object.signature !== undefined) object.proof = sshProof(object.signature, object.payload);
    }
    const proofs = await this.ring.verify(openPgp.map(({ signature = '', payload }) => ({ signature, payload })));
    for (const [at, object] of openPgp.entries()) object.proof = proofs[at] as GitSignature;
    return found;
  }

  close(): void {
    this.ring.close();
  }
}

function sshProof(signature: string, payload: Buffer): GitSignature {
  if (!signature.startsWith('-----BEGIN SSH SIGNATURE'))
    return { kind: 'bad', why: 'it is of a kind that is not understood' };
  const verdict = verifySshSignature(signature, payload, 'git');
  return 'problem' in verdict ? { kind: 'bad', why: verdict.problem } : { kind: 'made', key: verdict.fingerprint };
}
