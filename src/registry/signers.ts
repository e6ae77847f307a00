import type { GitSignature, KeyFacts } from '../git/signed-object.js';
import { mailOf } from './person.js';
import type { Signer } from './policy.js';

/** What a signature is worth under a policy. */
export type SignerStanding =
  | { kind: 'none' }
  /** What is being decided will be signed, and its signature looked at before it counts. */
  | { kind: 'promised' }
  | { kind: 'good'; who: string; key: string }
  | { kind: 'refused'; code: SignatureProblem; found: string };

export type SignatureProblem =
  | 'signature-bad'
  | 'signer-unknown'
  | 'key-of-another'
  | 'key-revoked'
  | 'key-expired'
  | 'key-not-yet-valid';

/** Under what a signature is judged. */
export interface SignerRules {
  /** Of the policy in force before the commit. */
  signers: readonly Signer[];
  keyFacts: (key: string) => KeyFacts | undefined;
  /** `Name <mail>` of the commit's author, for whom the key must speak. */
  by: string;
  /** Chain time in seconds: the latest date of the chain so far, the commit's own included. */
  time: number;
}

/**
 * What a signature is worth: `good` only where its key stands in the policy for the commit's own author, is not revoked
 * there, and is valid at the chain's time. Pure.
 */
export function signerStanding(proof: GitSignature, rules: SignerRules): SignerStanding {
  if (proof.kind === 'none') return { kind: 'none' };
  if (proof.kind === 'bad') return refused('signature-bad', `the signature does not count: ${proof.why}`);
  const { key } = proof;
  const rows = rules.signers.filter((signer) => rules.keyFacts(signer.key)?.fingerprint === key);
  if (proof.kind === 'unknown' || rows.length === 0) {
    return refused('signer-unknown', `it is signed by ${key}, a key that the policy in force does not name`);
  }
  const author = mailOf(rules.by);
  const own = rows.filter(({ who }) => mailOf(who) === author);
  if (own.length === 0) {
    return refused('key-of-another', `it is signed by ${key}, the key of ${rows[0]?.who}, and not of ${author}`);
  }
  if (own.some(({ revoked }) => revoked)) return refused('key-revoked', `${key} of ${author} is revoked by the policy`);
  const problems = own.map((signer) => outsideOf(signer, rules));
  if (problems.includes(undefined)) return { kind: 'good', who: author, key };
  return problems[0] as SignerStanding;
}

function outsideOf(signer: Signer, { keyFacts, time }: SignerRules): SignerStanding | undefined {
  const { fingerprint = '', expires } = keyFacts(signer.key) ?? {};
  const after = signer.valid_after === undefined ? undefined : Date.parse(signer.valid_after) / 1000;
  const before = signer.valid_before === undefined ? undefined : Date.parse(signer.valid_before) / 1000;
  const end = Math.min(before ?? Number.POSITIVE_INFINITY, expires ?? Number.POSITIVE_INFINITY);
  const day = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);
  if (time >= end) return refused('key-expired', `${fingerprint} of ${signer.who} is valid until ${day(end)} only`);
  if (after === undefined || time >= after) return undefined;
  return refused('key-not-yet-valid', `${fingerprint} of ${signer.who} is valid from ${day(after)} on only`);
}

function refused(code: SignatureProblem, found: string): SignerStanding {
  return { kind: 'refused', code, found };
}
