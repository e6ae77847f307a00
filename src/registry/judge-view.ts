import type { Git } from '../git/git.js';
import type { Signatures } from '../git/signed-object.js';
import type { RegistryEvent } from './event.js';
import type { ApprovalWord, CheckResult } from './gates.js';
import type { Before } from './judge.js';
import { readTrust } from './judge-trust.js';
import { eventPath } from './layout.js';
import type { ModelState, PlacedEvent, RegistryView } from './registry.js';

/** A registry's state as judgeChange asks for it. */
export interface ViewBefore extends Before {
  /** Changes of the policy that the policy before them did not allow. */
  policyProblems: readonly string[];
}

const MOVES: readonly RegistryEvent['type'][] = ['promoted', 'rolled-back'];

/**
 * Reads what judging some events takes from a view: the models they are about, and, where versions move by a policy,
 * which words on them may be counted. Errors: those of RegistryView and readTrust.
 */
export async function beforeOf(
  view: RegistryView,
  events: readonly RegistryEvent[],
  { git, signatures, now }: { git: Git; signatures: Signatures; now: number },
): Promise<ViewBefore> {
  const { tip } = view;
  const policy = await view.policy();
  await signatures.learn(policy.signers.map(({ key }) => key));
  const object = tip === undefined ? undefined : (await signatures.read([tip])).get(tip);
  const models = new Map<string, JudgedModel>();
  const problems: string[] = [];
  const hasPolicy = (await view.policyText()) !== undefined;
  for (const name of new Set(events.map((event) => event.model))) {
    const state = await view.model(name);
    const own = events.filter((event) => event.model === name);
    const moving = own.some(({ type }) => MOVES.includes(type));
    const placed = state && moving ? await view.events(name) : [];
    const versions = new Set(own.map(({ version }) => version));
    const words = placed.filter(({ event }) => isWord(event) && versions.has(event.version));
    const trust =
      moving && hasPolicy && tip !== undefined && (await readTrust(git, signatures, { tip, model: name, words }));
    if (trust) problems.push(...trust.policyProblems);
    const doubts = trust ? trust.doubts : new Map<string, string>();
    models.set(name, { state, words: words.map((word) => wordOf(name, word, doubts)), checks: checksOf(placed) });
  }
  return {
    policy,
    // A commit that somebody dated ahead must not keep everybody else from writing.
    chainTime: Math.min(object?.committer?.time ?? 0, now),
    policyProblems: [...new Set(problems)],
    model: (name) => models.get(name)?.state,
    words: (name, version) =>
      (models.get(name)?.words ?? []).flatMap((each) => (each.version === version ? [each.word] : [])),
    checks: (name, version) => models.get(name)?.checks.get(version) ?? [],
  };
}

interface JudgedModel {
  state: ModelState | undefined;
  words: { version: string; word: ApprovalWord }[];
  checks: ReadonlyMap<string, CheckResult[]>;
}

function isWord({ type }: RegistryEvent): boolean {
  return type === 'approved' || type === 'rejected';
}

function wordOf(
  model: string,
  { seq, id, event }: PlacedEvent,
  doubts: ReadonlyMap<string, string>,
): { version: string; word: ApprovalWord } {
  const { by, type, version } = event;
  const stage = 'stage' in event ? (event.stage ?? '') : '';
  const doubt = doubts.get(eventPath(model, seq, id));
  return { version, word: { stage, by, seq, approved: type === 'approved', ...(doubt !== undefined && { doubt }) } };
}

/** The results of checks by version, in the chain's order. */
export function checksOf(placed: readonly PlacedEvent[]): Map<string, CheckResult[]> {
  const checks = new Map<string, CheckResult[]>();
  for (const { event } of placed) {
    if (event.type !== 'checked') continue;
    const { version, check, command, exit, by } = event;
    checks.set(version, [...(checks.get(version) ?? []), { check, command, exit, by }]);
  }
  return checks;
}
