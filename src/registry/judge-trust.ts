import type { Git } from '../git/git.js';
import type { ChainEntry } from '../git/plumbing.js';
import type { CheckedObject, Signatures } from '../git/signed-object.js';
import { describeStanding, stageOf } from './gates.js';
import { judgeChange } from './judge.js';
import { eventPath, POLICY_PATH } from './layout.js';
import { isSamePerson } from './person.js';
import { DEFAULT_POLICY, type Policy } from './policy.js';
import { parsePolicy } from './policy-format.js';
import type { PlacedEvent } from './registry.js';
import { signerStanding } from './signers.js';

/** What of a registry's past may be built on. */
export interface Trust {
  /** Why words for or against versions do not count, by the path of their event. */
  doubts: ReadonlyMap<string, string>;
  /** Changes of the policy that the policy before them did not allow. */
  policyProblems: readonly string[];
}

/** What is looked at: the tip, and the words whose commits matter. */
interface TrustQuestion {
  tip: string;
  model: string;
  words: readonly PlacedEvent[];
}

/**
 * Looks at the commits that made the policy, and at those that brought words on versions of one model: each is judged by
 * the policy that was in force before it. What others forced in with plain Git opens no gate. One walk of the history,
 * limited to these files. Errors: `GIT_FAILED`, `REGISTRY_INVALID`.
 */
export async function readTrust(git: Git, signatures: Signatures, question: TrustQuestion): Promise<Trust> {
  const words = new Map(question.words.map((word) => [eventPath(question.model, word.seq, word.id), word]));
  const chain = await git.chainLog(question.tip, [POLICY_PATH, ...words.keys()]);
  const policies = await git.readBlobs(policyBlobs(chain));
  const texts = new Map([...policies].map(([blob, bytes]) => [blob, bytes.toString('utf8')]));
  for (const [blob, text] of texts) {
    const { signers } = parsePolicy(text, { path: `${POLICY_PATH} (blob ${blob.slice(0, 12)})` });
    await signatures.learn(signers.map(({ key }) => key));
  }
  const objects = await signatures.read(chain.map(({ commit }) => commit));
  const reader = new TrustReader({ words, texts, keyFacts: signatures.keyFacts });
  for (const entry of chain) reader.take(entry, objects.get(entry.commit) as CheckedObject);
  return reader;
}

function policyBlobs(chain: readonly ChainEntry[]): string[] {
  return chain.flatMap(({ changes }) =>
    changes.flatMap(({ path, blob }) => (path === POLICY_PATH && blob ? [blob] : [])),
  );
}

class TrustReader implements Trust {
  readonly doubts = new Map<string, string>();
  readonly policyProblems: string[] = [];
  private policy: Policy = DEFAULT_POLICY;
  private chainTime = 0;

  constructor(
    private readonly given: {
      words: ReadonlyMap<string, PlacedEvent>;
      texts: ReadonlyMap<string, string>;
      keyFacts: Signatures['keyFacts'];
    },
  ) {}

  take({ commit, changes }: ChainEntry, { author, committer, proof }: CheckedObject): void {
    const by = `${author?.name ?? ''} <${author?.mail ?? ''}>`;
    const time = committer?.time ?? 0;
    const { signers } = this.policy;
    const { keyFacts, words, texts } = this.given;
    const standing = signerStanding(proof, { signers, keyFacts, by, time: Math.max(time, this.chainTime) });
    const change = changes.find(({ path }) => path === POLICY_PATH);
    // The words are judged below; all that matters of them here is whether the policy came with events.
    const brought = { by, time, standing, events: [], registers: new Map(), writesPolicy: change !== undefined };
    const { refusals } = judgeChange(brought, { ...NOTHING_KNOWN, policy: this.policy, chainTime: this.chainTime });
    for (const { path } of changes) {
      const word = words.get(path);
      if (word === undefined) continue;
      const { event } = word;
      const { signed } = 'stage' in event && event.stage !== undefined ? stageOf(this.policy, event.stage) : {};
      const forged = isSamePerson(event.by, by)
        ? undefined
        : `it is said to be by ${event.by}, and was written by ${by}`;
      const unsigned = signed && standing.kind !== 'good' ? describeStanding(standing) : undefined;
      const doubt = refusals[0]?.sentence ?? forged ?? unsigned;
      if (doubt !== undefined) this.doubts.set(path, doubt);
    }
    if (change !== undefined) {
      for (const { sentence } of refusals) this.policyProblems.push(`commit ${commit.slice(0, 12)}: ${sentence}`);
      const text = texts.get(change.blob ?? '');
      this.policy = text === undefined ? DEFAULT_POLICY : parsePolicy(text, { path: POLICY_PATH, commit });
    }
    this.chainTime = Math.max(this.chainTime, time);
  }
}

const NOTHING_KNOWN = { model: () => undefined, words: () => [], checks: () => [] };
