import { parseCondition } from './condition.js';
import { evaluate, type Facts } from './condition-evaluate.js';
import { factsFrom, factsOfVersion } from './condition-facts.js';
import type { GateResult } from './event.js';
import { hasRole, isSamePerson, mailOf } from './person.js';
import type { Policy, StagePolicy } from './policy.js';
import type { ModelState, VersionState } from './registry.js';
import type { SignerStanding } from './signers.js';

/** The newest result of one check of a version. */
export interface CheckResult {
  check: string;
  command: string;
  exit: number;
  by: string;
}

/** What somebody said for or against a version on a stage. */
export interface ApprovalWord {
  stage: string;
  by: string;
  approved: boolean;
  seq: number;
  /** Why it does not count, though it is there: it was forced in unsigned, say. */
  doubt?: string;
}

/** A promotion that is to be judged, with all that the gates look at. */
export interface GateQuestion {
  /** In force before the promotion. */
  policy: Policy;
  stage: string;
  model: ModelState;
  version: VersionState;
  /** `Name <mail>` of who promotes. */
  by: string;
  /** Chain time, seconds since 1970. */
  time: number;
  standing: SignerStanding;
  /** Every word about this version in the chain's order. */
  words: readonly ApprovalWord[];
  /** Of this version, the newest of each name. */
  checks: readonly CheckResult[];
}

/** Gates that no override opens: they say who it is that asks. */
export const FIRM_GATES: readonly string[] = ['role', 'signature'];

/**
 * Judges one promotion by every gate of its stage, passed ones included, in the order: role, signature, transition,
 * freeze, metrics, evaluation, approvals, check. Pure; the writing side and the audit both ask here.
 */
export function judgeGates(question: GateQuestion): GateResult[] {
  const rules = stageOf(question.policy, question.stage);
  return [
    ...roleGate(question, rules),
    ...signatureGate(question, rules),
    ...transitionGate(question, rules),
    ...freezeGates(question, rules),
    ...(rules.metrics ?? []).map((rule) => metricGate(rule, question)),
    ...(rules.evaluations ?? []).flatMap((wanted) => evaluationGates(wanted, question)),
    ...approvalGates(question, rules),
    ...(rules.checks ?? []).map((check) => checkGate(check, question)),
  ];
}

/** The rules of a stage; none where the policy does not name it. */
export function stageOf(policy: Policy, stage: string): StagePolicy {
  return (Object.hasOwn(policy.stages, stage) ? policy.stages[stage] : undefined) ?? {};
}

function roleGate({ policy, by }: GateQuestion, { roles }: StagePolicy): GateResult[] {
  if (roles === undefined) return [];
  const passed = hasRole(policy, roles, by);
  return [{ gate: 'role', rule: roles.join(' or '), passed, found: `${by} ${passed ? 'is' : 'is not'} among them` }];
}

function signatureGate({ standing }: GateQuestion, { signed }: StagePolicy): GateResult[] {
  if (!signed) return [];
  const passed = standing.kind === 'good' || standing.kind === 'promised';
  return [{ gate: 'signature', rule: 'signed by a key in force', passed, found: describeStanding(standing) }];
}

/** A standing for people. */
export function describeStanding(standing: SignerStanding): string {
  if (standing.kind === 'none') return 'it is not signed';
  if (standing.kind === 'promised') return 'signed by the commit that it is written with';
  return standing.kind === 'good' ? `signed by ${standing.who} with ${standing.key}` : standing.found;
}

function transitionGate({ stage, version }: GateQuestion, { from }: StagePolicy): GateResult[] {
  if (from === undefined) return [];
  const now = version.stages.length > 0 ? version.stages : ['none'];
  const passed = now.some((each) => each === stage || from.includes(each));
  return [{ gate: 'transition', rule: `from ${from.join(' or ')}`, passed, found: `it is on ${now.join(', ')}` }];
}

function freezeGates({ time }: GateQuestion, { freeze = [] }: StagePolicy): GateResult[] {
  const today = new Date(time * 1000).toISOString().slice(0, 10);
  return freeze.map(({ from, to, reason }) => ({
    gate: 'freeze',
    rule: `nothing from ${from} to ${to}${reason === undefined ? '' : `: ${reason}`}`,
    passed: today < from || today > to,
    found: `it is ${today} (UTC)`,
  }));
}

function metricGate(rule: string, { model, version }: GateQuestion): GateResult {
  return { gate: 'metrics', ...judgeRule(rule, gateFacts(model, version)) };
}

function judgeRule(rule: string, facts: Facts): Omit<GateResult, 'gate'> {
  try {
    const { holds, found, problems } = evaluate(parseCondition(rule), facts);
    const figures = holds ? found.replaceAll(/\S+ on (\S+) is missing/g, 'nothing stood on $1 yet') : found;
    return { rule, passed: holds, found: figures || problems.join('; ') || 'nothing' };
  } catch {
    return { rule, passed: false, found: 'the rule cannot be understood: mlv policy check says why' };
  }
}

/**
 * Facts for gates: a bare name is a metric, but for `reproduced`, so that no parameter passes for a measurement. A stage that
 * is empty now still has the figures of what stood there last; one where nothing ever stood asks nothing.
 */
function gateFacts(model: ModelState, version: VersionState): Facts {
  const lookup = ({ lookup: full }: Facts, path: readonly string[]): ReturnType<Facts['lookup']> =>
    full(['metrics', ...path]) ??
    (['metrics', 'params', 'evaluations'].includes(path[0] as string) ? full(path) : undefined);
  const whole = factsOfVersion(model, version);
  const onStage = (stage: string): Facts | undefined => {
    const there = whole.onStage?.(stage) ?? lastOn(model, stage);
    return there && { lookup: (path) => lookup(there, path) };
  };
  const own = (path: readonly string[]): ReturnType<Facts['lookup']> =>
    path.join('.') === 'reproduced' ? (version.reproduced?.verdict ?? 'none') : lookup(whole, path);
  return { lookup: own, onStage, emptyStageHolds: true };
}

function lastOn(model: ModelState, stage: string): Facts | undefined {
  const last = model.held
    .get(stage)
    ?.findLast((assigned) => assigned.length > 0)
    ?.at(-1);
  const version = last && model.versions.get(last.version);
  return version && factsOfVersion(model, version);
}

function evaluationGates({ on, metrics }: { on: string; metrics?: string[] }, { version }: GateQuestion): GateResult[] {
  const measured = Object.hasOwn(version.evaluations, on) ? version.evaluations[on] : undefined;
  const passed = measured !== undefined;
  const names = Object.keys(measured ?? {});
  const there = { gate: 'evaluation', rule: `evaluated on ${on}`, passed, found: names.join(', ') || 'no evaluation' };
  const facts = factsFrom({ metrics: measured ?? {}, params: {} });
  const rules = (metrics ?? []).map((rule) => judgeRule(rule, facts));
  return [there, ...rules.map((each) => ({ ...each, gate: 'evaluation', rule: `${each.rule} on ${on}` }))];
}

function approvalGates(question: GateQuestion, rules: StagePolicy): GateResult[] {
  const here = question.words.filter(({ stage }) => stage === question.stage);
  const last = new Map(here.filter(({ doubt }) => doubt === undefined).map((word) => [mailOf(word.by), word]));
  const words = [...last.values()].filter(({ by }) => isInRole(question, rules, by));
  const rejected = words.filter(({ approved }) => !approved).map(({ by }) => by);
  const veto = {
    gate: 'approvals',
    rule: 'no rejection stands',
    passed: false,
    found: `rejected by ${rejected.join(', ')}`,
  };
  const vetoes = rejected.length > 0 ? [veto] : [];
  if (rules.approvals === undefined) return vetoes;
  const { count, role } = rules.approvals;
  const counted = words.filter(({ approved, by }) => approved && reasonAgainst(question, rules, by) === undefined);
  const doubts = new Set(
    here.flatMap((word) => {
      const why = word.doubt ?? reasonAgainst(question, rules, word.by);
      return why === undefined || !word.approved ? [] : [`${word.by} does not count: ${why}`];
    }),
  );
  const found = [`${counted.length} of ${count}`, ...counted.map(({ by }) => `by ${by}`), ...doubts].join('; ');
  const rule = `${count}${role === undefined ? '' : ` by ${role}`}${rules.approvals.not_author === false ? '' : ', not the author'}`;
  return [{ gate: 'approvals', rule, passed: counted.length >= count, found }, ...vetoes];
}

function isInRole({ policy }: GateQuestion, { approvals }: StagePolicy, by: string): boolean {
  return hasRole(policy, approvals?.role === undefined ? undefined : [approvals.role], by);
}

function reasonAgainst(question: GateQuestion, rules: StagePolicy, by: string): string | undefined {
  if (!isInRole(question, rules, by)) return `not in the role ${rules.approvals?.role}`;
  const own = rules.approvals?.not_author !== false && isSamePerson(by, question.version.summary.author);
  return own ? 'the author of the version' : undefined;
}

function checkGate({ name, command }: { name: string; command: string }, { checks }: GateQuestion): GateResult {
  const result = checks.findLast((each) => each.check === name && each.command === command);
  const found = result === undefined ? 'it was not run' : `exit code ${result.exit}, run by ${result.by}`;
  return { gate: 'check', rule: `${name}: ${command}`, passed: result?.exit === 0, found };
}
