import { isMlvError, MlvError } from '../core/errors.js';
import type { ChainChange, ChainEntry } from '../git/plumbing.js';
import type { CheckedObject } from '../git/signed-object.js';
import type { Finding } from './audit-findings.js';
import { NOTES } from './audit-findings.js';
import { AuditModel } from './audit-model.js';
import { sha256Of } from './digest.js';
import type { RegistryEvent } from './event.js';
import { parseEvent } from './event-format.js';
import { versionFacts } from './fold.js';
import { type JudgedChange, judgeChange, type Refusal } from './judge.js';
import { EVENT_ID_LENGTH, POLICY_PATH, parseRegistryPath } from './layout.js';
import { parseManifest } from './manifest-format.js';
import { DEFAULT_POLICY, type Policy } from './policy.js';
import { parsePolicy } from './policy-format.js';
import type { VersionState } from './registry.js';
import { type SignerStanding, signerStanding } from './signers.js';

/** A commit with everything that judging it takes. */
export interface ReadEntry extends ChainEntry {
  object: CheckedObject;
  /** By path, for what the commit added or changed and the registry reads. */
  texts: ReadonlyMap<string, Buffer>;
}

/** An event as it stands in a commit. */
interface FoundEvent {
  path: string;
  seq: number;
  id: string;
  event: RegistryEvent;
}

/** What a commit brings, as far as it can be read. */
interface Brought {
  events: FoundEvent[];
  registers: Map<string, VersionState>;
  /** The new policy's text; empty where it was deleted. */
  policy?: string;
}

/**
 * Judges a chain commit by commit, each by what was in force before it. Holds the state of every model, and nothing of
 * the commits that are done. Pure but for what it remembers.
 */
export class ChainAuditor {
  readonly findings: Finding[] = [];
  readonly models = new Map<string, AuditModel>();
  readonly policies: { commit: string; by: string; at: string; signed: boolean }[] = [];
  policy: Policy = DEFAULT_POLICY;
  chainTime = 0;
  counts = { commits: 0, signed: 0, events: 0, versions: 0 };
  private previous: string | undefined;
  private at = '';

  /** `keyFacts` must know the keys of every policy before the commits behind it are judged. */
  constructor(private readonly options: { keyFacts: Parameters<typeof signerStanding>[1]['keyFacts']; now: number }) {}

  /** Judges the next commit. */
  take(entry: ReadEntry): void {
    this.at = entry.commit;
    this.counts.commits += 1;
    this.place(entry);
    const { author, committer } = entry.object;
    const by = `${author?.name ?? ''} <${author?.mail ?? ''}>`;
    const time = committer?.time ?? 0;
    const chainTime = Math.max(this.chainTime, time);
    const rules = { signers: this.policy.signers, keyFacts: this.options.keyFacts, by, time: chainTime };
    const standing = signerStanding(entry.object.proof, rules);
    if (standing.kind === 'good') this.counts.signed += 1;
    const brought = this.read(entry);
    this.judge(brought, { by, time, standing });
    this.apply(brought, { by, time, standing });
    if (time > this.options.now) this.find('future-dated', `it is dated ${instant(time)}, which is yet to come`);
    else this.chainTime = chainTime;
  }

  /** A chain has one parent each, and Git's word for it is that of the commit itself. */
  private place({ commit, object }: ReadEntry): void {
    const [first, ...others] = object.parents;
    if (others.length > 0) this.find('merge', `it merges ${others.join(', ')}: the registry has one line only`);
    if (first !== this.previous) {
      const before = this.previous ?? 'nothing';
      this.find(
        'history-cut',
        `it follows ${first ?? 'nothing'}, and Git shows ${before} before it: a graft or a shallow clone`,
      );
    }
    this.previous = commit;
  }

  private read(entry: ReadEntry): Brought {
    const brought: Brought = { events: [], registers: new Map() };
    for (const change of [...entry.changes].sort((left, right) => (left.path < right.path ? -1 : 1))) {
      try {
        this.readChange(change, entry, brought);
      } catch (error) {
        if (!(error instanceof MlvError)) throw error;
        this.find(isMlvError(error, 'FORMAT_TOO_NEW') ? 'too-new' : 'invalid', error.message, { file: change.path });
      }
    }
    return brought;
  }

  private readChange(change: ChainChange, { texts, commit }: ReadEntry, brought: Brought): undefined {
    const { path, kind, mode } = change;
    const found = parseRegistryPath(path);
    const at = { path, commit };
    const bytes = texts.get(path) ?? Buffer.alloc(0);
    if (found.kind === 'wrong') return this.find('wrong-file', found.reason, { file: path });
    if (found.kind === 'other') return this.find('other-file', `${path} is no file of the registry`, { file: path });
    if (kind !== 'deleted' && !mode?.startsWith('100')) {
      return this.find('wrong-file', 'it is a link or a submodule', { file: path });
    }
    if (found.kind === 'policy') brought.policy = bytes.toString('utf8');
    if (found.kind !== 'manifest' && found.kind !== 'event') return;
    const about = { file: path, model: found.model };
    if (kind !== 'added') {
      const what = kind === 'deleted' ? 'removed' : 'changed';
      return this.find(`${found.kind}-${what}`, `a ${found.kind} was ${what}, and none may ever be`, about);
    }
    if (found.kind === 'manifest') {
      const manifest = parseManifest(bytes.toString('utf8'), at);
      if (manifest.model !== found.model || manifest.version !== found.version) {
        return this.find('misplaced', `it says that it is of ${manifest.model}@${manifest.version}`, about);
      }
      const facts = versionFacts(manifest, sha256Of(bytes));
      this.model(found.model).manifests.set(found.version, facts);
      brought.registers.set(`${found.model}@${found.version}`, newVersion(found, facts));
      return;
    }
    const id = sha256Of(bytes).slice('sha256:'.length, 'sha256:'.length + EVENT_ID_LENGTH);
    if (id !== found.id) return this.find('event-digest', `its name says ${found.id}, and its content ${id}`, about);
    const event = parseEvent(bytes.toString('utf8'), at);
    if (event.model !== found.model) return this.find('misplaced', `it is about the model ${event.model}`, about);
    brought.events.push({ path, seq: found.seq, id, event });
  }

  private judge(brought: Brought, who: Pick<JudgedChange, 'by' | 'time' | 'standing'>): void {
    const { events, registers, policy } = brought;
    const change = { ...who, events: events.map(({ event }) => event), registers, writesPolicy: policy !== undefined };
    const { refusals, gates } = judgeChange(change, {
      policy: this.policy,
      chainTime: this.chainTime,
      model: (name) => this.models.get(name)?.state,
      words: (model, version) => this.models.get(model)?.words(version) ?? [],
      checks: (model, version) => this.models.get(model)?.checks(version) ?? [],
    });
    const { standing } = who;
    const needed = refusals.some(({ code }) => code === 'signer-unknown' || code === 'gate-signature');
    if (standing.kind === 'refused' && standing.code === 'signer-unknown' && !needed)
      this.find('other-signature', standing.found);
    for (const refusal of refusals) this.refused(refusal, events);
    for (const [at, results] of gates)
      this.overridden(events[at] as FoundEvent, results.filter(({ passed }) => !passed).length);
    const doubts = new Map(refusals.flatMap(({ event, sentence }) => (event === undefined ? [] : [[event, sentence]])));
    const whole = refusals.find(({ event }) => event === undefined)?.sentence;
    for (const [at, found] of events.entries()) this.follow(found, doubts.get(at) ?? whole);
    const registered = new Set(events.flatMap(({ event }) => (event.type === 'registered' ? [nameOf(event)] : [])));
    for (const name of registers.keys()) {
      if (!registered.has(name)) this.find('manifest-unregistered', `no event registers ${name} with its manifest`);
    }
  }

  private refused({ code, sentence, event }: Refusal, events: readonly FoundEvent[]): void {
    const found = event === undefined ? undefined : events[event];
    this.find(code, sentence, found && { file: found.path, model: found.event.model, version: found.event.version });
  }

  private overridden({ path, event }: FoundEvent, failed: number): void {
    if (event.type !== 'promoted' || !event.override || failed === 0) return;
    const { model, version, stage, by, reason = '' } = event;
    const sentence = `${by} put ${model}@${version} on ${stage} over ${failed} failed gate(s): ${reason}`;
    this.find('override', sentence, { file: path, model, version });
  }

  /** Takes an event into the state of its model. */
  private follow({ path, seq, id, event }: FoundEvent, doubt: string | undefined): void {
    this.counts.events += 1;
    const model = this.model(event.model);
    const about = { file: path, model: event.model, version: event.version };
    if (seq !== model.nextSeq) {
      const code = seq < model.nextSeq ? 'seq-reused' : 'seq-gap';
      this.find(code, `it is event ${seq} of ${event.model}, and ${model.nextSeq} is the next`, about);
    }
    model.nextSeq = Math.max(model.nextSeq, seq + 1);
    const problem = model.take({ seq, id, event }, doubt);
    if (problem === undefined) this.counts.versions += event.type === 'registered' ? 1 : 0;
    // What the judge named already is not named a second time.
    else if (doubt === undefined) this.find('invalid', problem, about);
  }

  private apply(
    { policy }: Brought,
    { by, time, standing }: { by: string; time: number; standing: SignerStanding },
  ): void {
    if (policy === undefined) return;
    try {
      this.policy = policy === '' ? DEFAULT_POLICY : parsePolicy(policy, { path: POLICY_PATH, commit: this.at });
    } catch (error) {
      if (!(error instanceof MlvError)) throw error;
      // Nobody can read it, so nothing can be written until it is mended: what was in force stays so for the audit.
      this.find('invalid', error.message, { file: POLICY_PATH });
      return;
    }
    this.policies.push({ commit: this.at, by, at: instant(time), signed: standing.kind === 'good' });
  }

  private model(name: string): AuditModel {
    const known = this.models.get(name) ?? new AuditModel(name);
    this.models.set(name, known);
    return known;
  }

  private find(
    code: string,
    sentence: string,
    about: Omit<Finding, 'code' | 'gravity' | 'sentence' | 'commit'> = {},
  ): undefined {
    const gravity = NOTES.has(code) ? 'note' : 'fault';
    this.findings.push({ code, gravity, sentence, commit: this.at, ...about });
  }
}

function newVersion(
  { model, version }: { model: string; version: string },
  { digest, summary }: { digest: string; summary: VersionState['summary'] },
): VersionState {
  return { model, version, manifest: digest, seq: 0, summary, evaluations: {}, approvals: [], stages: [] };
}

function nameOf({ model, version }: RegistryEvent): string {
  return `${model}@${version}`;
}

function instant(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
