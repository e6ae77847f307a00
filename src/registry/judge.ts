import type { GateResult, RegistryEvent } from './event.js';
import { type ApprovalWord, type CheckResult, describeStanding, FIRM_GATES, judgeGates, stageOf } from './gates.js';
import { hasRole, isSamePerson } from './person.js';
import type { Policy } from './policy.js';
import type { ModelState, VersionState } from './registry.js';
import type { SignerStanding } from './signers.js';

/** How far a clock may be behind the chain, or before the world's, in seconds. */
export const CLOCK_TOLERANCE = 60 * 60;

/** A change of the registry: one commit that is to be made, or one that was. */
export interface JudgedChange {
  /** `Name <mail>` of the commit's author. */
  by: string;
  /** The commit's date, seconds since 1970. */
  time: number;
  standing: SignerStanding;
  events: readonly RegistryEvent[];
  /** Manifests that it brings, by `model@version`. */
  registers: ReadonlyMap<string, VersionState>;
  /** True where it writes the policy. */
  writesPolicy: boolean;
}

/** The registry before the change. */
export interface Before {
  policy: Policy;
  /** The latest date of the chain so far, seconds since 1970. */
  chainTime: number;
  model(name: string): ModelState | undefined;
  /** Every word for or against a version, in the chain's order. */
  words(model: string, version: string): readonly ApprovalWord[];
  /** The results of its checks, in the chain's order. */
  checks(model: string, version: string): readonly CheckResult[];
}

/** What the policy in force, or the order of the registry, has against a change. */
export interface Refusal {
  /** One of REFUSALS. */
  code: string;
  sentence: string;
  /** Which of the change's events it is about. */
  event?: number;
}

export interface Judgement {
  refusals: Refusal[];
  /** The gates of each promotion, by the event's place in the change. */
  gates: Map<number, GateResult[]>;
}

/**
 * Judges a change by what was in force before it: who speaks, when, with which key, and whether the policy lets them.
 * Pure. What mlv writes and what `mlv audit` recomputes is decided here and nowhere else.
 */
export function judgeChange(change: JudgedChange, before: Before): Judgement {
  const judge = new ChangeJudge(change, before);
  judge.all();
  return { refusals: judge.refusals, gates: judge.gates };
}

class ChangeJudge {
  readonly refusals: Refusal[] = [];
  readonly gates = new Map<number, GateResult[]>();
  /** The event that is looked at. */
  private at: number | undefined;

  constructor(
    private readonly change: JudgedChange,
    private readonly before: Before,
  ) {}

  all(): void {
    this.date();
    this.key();
    if (this.change.writesPolicy) this.policy();
    for (const [at, event] of this.change.events.entries()) {
      this.at = at;
      this.event(event);
    }
    this.at = undefined;
  }

  private refuse(code: string, sentence: string): void {
    this.refusals.push({ code, sentence, ...(this.at !== undefined && { event: this.at }) });
  }

  private date(): void {
    const { time } = this.change;
    const { chainTime } = this.before;
    if (time >= chainTime - CLOCK_TOLERANCE) return;
    this.refuse('back-dated', `it is dated ${instant(time)}, and the registry was at ${instant(chainTime)} already`);
  }

  /** A key that is in the policy and does not hold must not sign anything; one that is not there is nobody's business here. */
  private key(): void {
    const { standing } = this.change;
    if (standing.kind === 'refused' && standing.code !== 'signer-unknown') this.refuse(standing.code, standing.found);
  }

  private policy(): void {
    const { policy } = this.before;
    this.allowed(policy.policy?.roles, { code: 'policy-role', what: 'change the policy' });
    if (policy.policy?.signed) this.signed('a change of the policy');
    if (this.change.events.length === 0) return;
    this.refuse('policy-with-use', 'it changes the policy, and does in the same commit what the policy is to judge');
  }

  private event(event: RegistryEvent): void {
    const { by } = this.change;
    if (!isSamePerson(event.by, by)) {
      this.refuse('author-differs', `the event is said to be by ${event.by}, and the commit is by ${by}`);
    }
    const version = this.version(event);
    if (version === undefined) return;
    if (event.type === 'registered') this.registered(event, version);
    else if (event.type === 'promoted') this.promoted(event, version);
    else if (event.type === 'demoted') this.leaves(version, [event.stage]);
    else if (event.type === 'archived') this.leaves(version, [...version.stages.filter(isLife), 'archived']);
    else if (event.type === 'rolled-back') this.rolledBack(event, version);
    else if (event.type === 'approved' || event.type === 'rejected') this.approval(event, version);
  }

  /** The version that an event is about, where it is there and the event names its manifest. */
  private version(event: RegistryEvent): VersionState | undefined {
    const name = `${event.model}@${event.version}`;
    const known = this.before.model(event.model)?.versions.get(event.version);
    const version =
      event.type === 'registered' ? this.change.registers.get(name) : (known ?? this.change.registers.get(name));
    if (event.type === 'registered' && known !== undefined)
      this.refuse('version-again', `${name} was registered before`);
    if (version === undefined) {
      this.refuse('version-unknown', `there is no ${name}`);
      return undefined;
    }
    if (version.manifest === event.manifest) return version;
    const replay = event.type === 'approved' || event.type === 'rejected' ? 'approval-replayed' : 'manifest-differs';
    this.refuse(replay, `it is about the manifest ${event.manifest}, and that of ${name} is ${version.manifest}`);
    return undefined;
  }

  private registered(event: RegistryEvent, { summary }: VersionState): void {
    const { register } = this.before.policy;
    this.allowed(register?.roles, { code: 'register-role', what: 'register' });
    if (register?.signed) this.signed('a registration');
    if (isSamePerson(summary.author, event.by)) return;
    this.refuse('author-differs', `the manifest is said to be by ${summary.author}, and the commit is by ${event.by}`);
  }

  private promoted(event: Extract<RegistryEvent, { type: 'promoted' }>, version: VersionState): void {
    if (!this.isStage(event.stage)) return;
    const from = version.stages.length > 0 ? version.stages : ['none'];
    if (!from.includes(event.from)) {
      this.refuse('stage-differs', `it says that the version came from ${event.from}, and it is on ${from.join(', ')}`);
    }
    const gates = this.judgeGates(event.stage, version);
    this.gates.set(this.at as number, gates);
    const failed = gates.filter(({ passed }) => !passed);
    const overridden = event.override === true && this.mayOverride(event);
    for (const { gate, rule, found } of failed) {
      if (overridden && !FIRM_GATES.includes(gate)) continue;
      this.refuse(
        `gate-${gate}`,
        `${event.stage} of ${event.model}@${event.version} asks for ${gate}: ${rule}; ${found}`,
      );
    }
  }

  private judgeGates(stage: string, version: VersionState): GateResult[] {
    const { policy, chainTime, words, checks } = this.before;
    const { by, time, standing } = this.change;
    return judgeGates({
      policy,
      stage,
      version,
      by,
      standing,
      model: this.before.model(version.model) ?? emptyModel(version.model),
      time: Math.max(time, chainTime),
      words: words(version.model, version.version),
      checks: checks(version.model, version.version),
    });
  }

  private mayOverride({ stage, reason }: Extract<RegistryEvent, { type: 'promoted' }>): boolean {
    const roles = stageOf(this.before.policy, stage).override?.roles;
    const { by } = this.change;
    const problem =
      roles === undefined
        ? `nobody may override the gates of ${stage}`
        : !hasRole(this.before.policy, roles, by)
          ? `only ${roles.join(' or ')} may override the gates of ${stage}, and ${by} is not among them`
          : !reason?.trim()
            ? 'an override needs a reason'
            : undefined;
    if (problem !== undefined) this.refuse('override-refused', problem);
    return problem === undefined;
  }

  private leaves(version: VersionState, stages: readonly string[]): void {
    for (const stage of stages) {
      if (stage !== 'archived' && !version.stages.includes(stage)) {
        this.refuse('not-there', `${version.model}@${version.version} does not stand on ${stage}`);
      }
      this.mayMove(stage);
    }
  }

  private rolledBack(event: Extract<RegistryEvent, { type: 'rolled-back' }>, version: VersionState): void {
    if (!this.isStage(event.stage)) return;
    this.mayMove(event.stage);
    const name = `${event.model}@${event.version}`;
    const held = this.before.model(event.model)?.held.get(event.stage) ?? [];
    if (!held.some((assigned) => assigned.some((each) => each.version === event.version))) {
      this.refuse('never-there', `${name} never stood on ${event.stage}, so nothing goes back to it`);
    }
    const problem = rollbackProblem(version, this.before.words(event.model, event.version), event.stage);
    if (problem !== undefined) this.refuse('not-good', `${name} ${problem}`);
  }

  private approval(event: Extract<RegistryEvent, { type: 'approved' | 'rejected' }>, version: VersionState): void {
    if (!this.isStage(event.stage)) return;
    const { approvals, signed } = stageOf(this.before.policy, event.stage);
    if (signed) this.signed(`a word on ${event.stage}`);
    if (event.type === 'rejected') return;
    if (approvals?.not_author !== false && isSamePerson(event.by, version.summary.author)) {
      this.refuse('self-approval', `${event.by} made ${event.model}@${event.version}, and cannot approve it`);
    }
    if (approvals?.role === undefined) return;
    this.allowed([approvals.role], { code: 'approval-role', what: `approve for ${event.stage}` });
  }

  private isStage(stage: string): boolean {
    if (Object.hasOwn(this.before.policy.stages, stage)) return true;
    this.refuse('stage-unknown', `the policy has no stage '${stage}'`);
    return false;
  }

  private mayMove(stage: string): void {
    const { roles, signed } = stageOf(this.before.policy, stage);
    this.allowed(roles, { code: 'gate-role', what: `move versions on ${stage}` });
    if (signed) this.signed(`a move on ${stage}`);
  }

  private allowed(roles: readonly string[] | undefined, { code, what }: { code: string; what: string }): void {
    const { by } = this.change;
    if (hasRole(this.before.policy, roles, by)) return;
    this.refuse(code, `only ${roles?.join(' or ')} may ${what}, and ${by} is not among them`);
  }

  private signed(what: string): void {
    const { standing } = this.change;
    if (standing.kind === 'good' || standing.kind === 'promised') return;
    // A key that the policy knows and does not let sign was named already.
    if (standing.kind === 'refused' && standing.code !== 'signer-unknown') return;
    const code = standing.kind === 'none' ? 'unsigned' : standing.code;
    this.refuse(code, `${what} must be signed by a key in force: ${describeStanding(standing)}`);
  }
}

/** Why a version is no good one to go back to on a stage; undefined where it is. */
export function rollbackProblem(
  { deprecated, stages }: Pick<VersionState, 'deprecated' | 'stages'>,
  words: readonly ApprovalWord[],
  stage: string,
): string | undefined {
  if (deprecated !== undefined) return 'is deprecated';
  if (stages.includes('archived')) return 'is archived';
  const last = new Map(
    words.filter((word) => word.stage === stage && word.doubt === undefined).map((word) => [word.by, word]),
  );
  const rejected = [...last.values()].find(({ approved }) => !approved);
  return rejected === undefined ? undefined : `was rejected for ${stage} by ${rejected.by}`;
}

function isLife(stage: string): boolean {
  return stage !== 'archived';
}

function emptyModel(name: string): ModelState {
  return { name, meta: { mlv: 1 }, versions: new Map(), stages: new Map(), held: new Map() };
}

function instant(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
