import type { Verdict } from '../provenance/reproduction.js';

/** What all events say. An event is one file, never changed; its place in the chain is its order. */
export interface EventBase {
  /** Format number of the file. */
  mlv: 1;
  model: string;
  /** The version that it is about. */
  version: string;
  /** `sha256:<hex>` of that version's manifest: holds the event fast to this version, so that it cannot be replayed. */
  manifest: string;
  /** `Name <mail>` of who did it; the author of the commit, and its signer where it is signed. */
  by: string;
  /** RFC 3339 in UTC: for people, order is the chain's. */
  at: string;
  reason?: string;
  ticket?: string;
}

/** How one gate was passed, failed or overridden, with the figure. */
export interface GateResult {
  /** `metrics`, `evaluation`, `approvals`, `check`, `signature`, `transition`, `freeze`, `role`. */
  gate: string;
  /** The rule as the policy says it, such as `auc >= @production - 0.01`. */
  rule: string;
  passed: boolean;
  /** What was found, for people: `auc is 0.912, production has 0.915`. */
  found: string;
}

export type RegistryEvent = EventBase &
  (
    | { type: 'registered' }
    | {
        type: 'promoted';
        stage: string;
        /** The stage it came from; `none` for the first. */
        from: string;
        /** Share of the callers in percent where several versions stand on the stage; 100 is the whole. */
        traffic: number;
        /** Versions that left the stage by this. */
        replaces?: string[];
        gates?: GateResult[];
        /** True where a failed gate was overridden; `reason` says why. */
        override?: true;
      }
    | { type: 'demoted'; stage: string; to: string }
    | { type: 'archived' }
    | { type: 'rolled-back'; stage: string /** What left the stage. */; replaces: string[]; gates?: GateResult[] }
    | { type: 'approved' | 'rejected'; stage: string; attachments?: Attachment[] }
    | {
        type: 'evaluated';
        metrics: Record<string, { value: number; better?: 'higher' | 'lower' }>;
        /** The data set, and its oid where it is tracked. */
        on?: string;
        on_oid?: string;
      }
    | { type: 'deprecated' /** What to use instead: `fraud@1.4.0`. */; successor?: string }
    | {
        type: 'deployed';
        stage?: string /** Where: a cluster, a region, an endpoint. */;
        target?: string;
        note?: string;
      }
    | {
        type: 'guarded';
        stage: string;
        verdict: 'healthy' | 'version-fault' | 'data-fault' | 'unclear';
        signals: GateResult[];
      }
    | { type: 'reproduced'; verdict: Verdict; found?: string[] }
    | {
        type: 'checked' /** Name of the check in the policy. */;
        check: string;
        /** The command as the policy said it then: a result counts only for the same command. */
        command: string;
        exit: number;
        attachments?: Attachment[];
      }
  );

export type EventType = RegistryEvent['type'];

/** A file that was kept with an event: its bytes are an object. */
export interface Attachment {
  name: string;
  oid: string;
  sha256: string;
  size: number;
}
