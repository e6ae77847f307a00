import { isMlvError } from '../core/errors.js';
import { emptyModel, foldModel, type VersionFacts } from './fold.js';
import type { ApprovalWord, CheckResult } from './gates.js';
import type { ModelState, PlacedEvent } from './registry.js';

/** One model while the audit walks the chain: its state, and what gates count beside it. */
export class AuditModel {
  state: ModelState;
  /** The `seq` that the next event has to have. */
  nextSeq = 1;
  readonly manifests = new Map<string, VersionFacts>();
  private readonly said = new Map<string, ApprovalWord[]>();
  private readonly run = new Map<string, CheckResult[]>();

  constructor(readonly name: string) {
    this.state = emptyModel(name);
  }

  words(version: string): readonly ApprovalWord[] {
    return this.said.get(version) ?? [];
  }

  checks(version: string): readonly CheckResult[] {
    return this.run.get(version) ?? [];
  }

  /**
   * Takes an event into the state as everybody who reads the registry does, refused or not; a refused word counts for no
   * gate. Why the event cannot be read by anybody, or undefined.
   */
  take(placed: PlacedEvent, doubt: string | undefined): string | undefined {
    const { event, seq } = placed;
    try {
      this.state = foldModel(this.state, [placed], { manifests: this.manifests, nextSeq: seq });
    } catch (error) {
      if (isMlvError(error, 'REGISTRY_INVALID')) return error.message;
      throw error;
    }
    if (event.type === 'approved' || event.type === 'rejected') {
      const { stage, by } = event;
      const word = { stage, by, seq, approved: event.type === 'approved', ...(doubt !== undefined && { doubt }) };
      this.said.set(event.version, [...this.words(event.version), word]);
    } else if (event.type === 'checked' && doubt === undefined) {
      const { check, command, exit, by } = event;
      this.run.set(event.version, [...this.checks(event.version), { check, command, exit, by }]);
    }
    return undefined;
  }
}
