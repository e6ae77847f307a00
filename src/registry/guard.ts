import { betterByName } from '../provenance/metrics.js';
import type { GateResult } from './event.js';
import type { VersionState } from './registry.js';

/** What was observed of one version in the window that the guard looks at, by name. */
export type Observed = Readonly<Record<string, number>>;

export interface GuardQuestion {
  /** The version that is guarded, and what was observed of it. */
  version: VersionState;
  observed: Observed;
  /** Other versions of the model that were observed on the same data, newest first. */
  others: readonly { version: VersionState; observed: Observed }[];
  /** How far a figure may be off, as a share of what it is compared with; by name, and for all others. */
  tolerance: { all: number; of: Readonly<Record<string, number>> };
  /** Name of the window, where its own results are in the registry: they are no baseline. */
  window?: string;
}

export type GuardVerdict = 'healthy' | 'version-fault' | 'data-fault' | 'unclear';

export interface GuardReport {
  verdict: GuardVerdict;
  /** Every comparison, passed ones included; `gate` is `registered` or `other-version`. */
  signals: GateResult[];
  /** One sentence on how the verdict came about. */
  because: string;
}

/** Words in a name whose figure must stay where it is: more is as bad as less. */
const STEADY = /(^|[._\s-])(rate|rates|share|mean|volume|count|prevalence|psi)$/i;
const ONE_SIDED = /(error|err|failure|timeout|false|success|hit|win)/i;

/**
 * Compares what was observed of a version with its baseline by several signals, and tells a fault of the version from a
 * fault of the data by looking at the other versions. Pure; the rule is docs/registry.md, "Guarding a stage".
 */
export function judgeGuard(question: GuardQuestion): GuardReport {
  const names = Object.keys(question.observed).sort();
  const signals = names.flatMap((name) => signalsOf(name, question));
  const failed = names.filter((name) => signals.some(({ signal, name: of }) => of === name && !signal.passed));
  const faults = failed.map((name) => faultOf(name, question, signals));
  const verdict = verdictOf(faults, signals.length);
  return { verdict, signals: signals.map(({ signal }) => signal), because: because(verdict, failed, question) };
}

interface Signal {
  name: string;
  kind: 'registered' | 'other-version';
  signal: GateResult;
}

function signalsOf(name: string, question: GuardQuestion): Signal[] {
  const observed = question.observed[name] as number;
  const signals: Signal[] = [];
  const baseline = baselineOf(name, question.version, question.window);
  if (baseline !== undefined) {
    const against = { name, observed, ...baseline, tolerance: toleranceOf(name, question) };
    signals.push({ name, kind: 'registered', signal: { gate: 'registered', ...compare(against) } });
  }
  for (const { version, observed: figures } of question.others) {
    const theirs = own(figures, name);
    if (theirs === undefined) continue;
    const of = `${version.model}@${version.version} on the same data`;
    const against = { name, observed, value: theirs, of, tolerance: toleranceOf(name, question) };
    signals.push({ name, kind: 'other-version', signal: { gate: 'other-version', ...compare(against) } });
  }
  return signals;
}

function toleranceOf(name: string, { tolerance }: GuardQuestion): number {
  return own(tolerance.of, name) ?? tolerance.all;
}

interface Comparison {
  name: string;
  observed: number;
  /** What it is compared with, and what that is. */
  value: number;
  of: string;
  tolerance: number;
}

function compare({ name, observed, value, of, tolerance }: Comparison): Omit<GateResult, 'gate'> {
  const allowed = Math.abs(value) * tolerance;
  const off = observed - value;
  const [word, passed] = isSteady(name)
    ? (['within', Math.abs(off) <= allowed] as const)
    : betterByName(name) === 'lower'
      ? (['at most', off <= allowed] as const)
      : (['at least', -off <= allowed] as const);
  const bound = { within: `${figure(value - allowed)} to ${figure(value + allowed)}` }[word as 'within'];
  const limit = bound ?? figure(word === 'at most' ? value + allowed : value - allowed);
  return { rule: `${name} ${word} ${limit}`, passed, found: `${name} is ${figure(observed)}, ${of} ${figure(value)}` };
}

/** Whether a figure must neither rise nor fall: rates of predictions, means of inputs. */
function isSteady(name: string): boolean {
  return STEADY.test(name) && !ONE_SIDED.test(name) && betterByName(name) === 'higher';
}

/** What a version's figure was when all was well: as registered, else the newest result that is not of the window itself. */
function baselineOf(name: string, version: VersionState, window?: string): { value: number; of: string } | undefined {
  const registered = own(version.summary.metrics, name);
  if (registered !== undefined) return { value: registered.value, of: 'registered' };
  for (const [on, measured] of Object.entries(version.evaluations).reverse()) {
    const found = on === window ? undefined : own(measured, name);
    if (found !== undefined) return { value: found.value, of: on === '' ? 'evaluated' : `evaluated on ${on}` };
  }
  return undefined;
}

/** Whose fault a failed figure is: the version's where any other does well on the same data, the data's where all fell. */
function faultOf(name: string, question: GuardQuestion, signals: readonly Signal[]): GuardVerdict {
  if (signals.some((each) => each.name === name && each.kind === 'other-version' && !each.signal.passed)) {
    return 'version-fault';
  }
  const others = question.others.flatMap(({ version, observed }) => {
    const value = own(observed, name);
    const baseline = baselineOf(name, version, question.window);
    if (value === undefined || baseline === undefined) return [];
    return [compare({ name, observed: value, ...baseline, tolerance: toleranceOf(name, question) }).passed];
  });
  if (others.length === 0) return 'unclear';
  return others.some((passed) => passed) ? 'version-fault' : 'data-fault';
}

function verdictOf(faults: readonly GuardVerdict[], compared: number): GuardVerdict {
  if (compared === 0) return 'unclear';
  if (faults.length === 0) return 'healthy';
  if (faults.includes('version-fault')) return 'version-fault';
  return faults.every((fault) => fault === 'data-fault') ? 'data-fault' : 'unclear';
}

function because(verdict: GuardVerdict, failed: readonly string[], { version, others }: GuardQuestion): string {
  const name = `${version.model}@${version.version}`;
  const figures = failed.join(', ');
  if (verdict === 'healthy') return `${name} is within its tolerances`;
  if (verdict === 'version-fault') return `${name} fell in ${figures}, and another version did not on the same data`;
  if (verdict === 'data-fault') return `${name} fell in ${figures}, and so did every other version on the same data`;
  if (failed.length === 0) return `none of the figures has anything to be compared with`;
  const none = others.length === 0 ? 'no other version was observed' : 'the other versions do not tell';
  return `${name} fell in ${figures}, and ${none} on the same data`;
}

function figure(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
