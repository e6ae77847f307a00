import type { CheckedObject } from '../git/signed-object.js';
import type { Finding } from './audit-findings.js';
import { describeStanding } from './gates.js';
import { tagRef } from './layout.js';
import type { VersionState } from './registry.js';
import { type SignerRules, signerStanding } from './signers.js';

/** What is known of tags when the chain is judged. */
export interface TagFacts {
  /** By full name: the object that the ref names. */
  local: ReadonlyMap<string, string>;
  /** Tag objects by name; lightweight tags name a commit. */
  objects: ReadonlyMap<string, CheckedObject>;
  /** By full name: the commit that the Git remote's tag leads to. Absent where the remote was not asked. */
  remote?: ReadonlyMap<string, string>;
  /** True where the registry is shared through a Git remote: a tag may be there and not here. */
  shared: boolean;
  signers: SignerRules['signers'];
  keyFacts: SignerRules['keyFacts'];
}

/**
 * What is wrong with the tag of one version, here and on the remote: missing, moved, replaced by a plain one,
 * without the signature that the policy asks for. No findings where all is well. Pure.
 */
export function judgeTag(state: VersionState, facts: TagFacts): Finding[] {
  const { model, version, summary, manifest } = state;
  const file = tagRef(model, version);
  const find = (code: string, sentence: string): Finding => {
    const gravity = code === 'tag-not-here' ? 'note' : 'fault';
    return { code, gravity, sentence, file, model, version };
  };
  const findings: Finding[] = [];
  const there = facts.remote?.get(file);
  if (there !== undefined && there !== summary.commit) {
    findings.push(
      find('tag-moved', `on the Git remote it stands on ${there}, and ${model}@${version} is of ${summary.commit}`),
    );
  }
  if (facts.remote !== undefined && there === undefined) {
    findings.push(find('tag-missing', 'the Git remote does not have it'));
  }
  const object = facts.local.get(file);
  if (object === undefined) {
    if (facts.remote !== undefined) return findings;
    const code = facts.shared ? 'tag-not-here' : 'tag-missing';
    return [
      find(code, facts.shared ? 'this clone does not have it; mlv audit --fetch asks the Git remote' : 'it is gone'),
    ];
  }
  return [...findings, ...judgeObject(state, { tag: facts.objects.get(object), object, facts, find, manifest })];
}

function judgeObject(
  { summary }: VersionState,
  given: {
    tag: CheckedObject | undefined;
    object: string;
    facts: TagFacts;
    find: (code: string, sentence: string) => Finding;
    manifest: string;
  },
): Finding[] {
  const { tag, object, facts, find, manifest } = given;
  if (tag?.tag === undefined) {
    const moved =
      object === summary.commit ? [] : [find('tag-moved', `it stands on ${object} and not on ${summary.commit}`)];
    return [...moved, find('tag-replaced', 'it is a plain tag, without the digest of the manifest')];
  }
  const findings: Finding[] = [];
  if (tag.target !== summary.commit) {
    findings.push(find('tag-moved', `it stands on ${tag.target} and not on ${summary.commit}`));
  }
  const digest = /^manifest: (\S+)$/m.exec(tag.message)?.[1];
  if (digest !== manifest) {
    findings.push(find('tag-digest', `it says that the manifest is ${digest ?? 'nothing'}, and it is ${manifest}`));
  }
  const { committer } = tag;
  const by = `${committer?.name ?? ''} <${committer?.mail ?? ''}>`;
  const standing = signerStanding(tag.proof, { ...facts, by, time: committer?.time ?? 0 });
  if (standing.kind === 'refused' && standing.code === 'signature-bad') {
    findings.push(find('tag-signature', describeStanding(standing)));
  }
  return findings;
}
