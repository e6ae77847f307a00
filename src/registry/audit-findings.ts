/** How grave a finding is: what must not be, or what a reader should know of. */
export type FindingGravity = 'fault' | 'note';

/** One thing that the audit found. */
export interface Finding {
  /** One of the codes in docs/registry.md. */
  code: string;
  gravity: FindingGravity;
  /** What is wrong, in one sentence. */
  sentence: string;
  commit?: string;
  /** Path on the registry's branch, or full name of a ref. */
  file?: string;
  model?: string;
  version?: string;
}

/** What an audit found, and what it looked at. */
export interface AuditReport {
  tip: string | undefined;
  /** The first commit of the chain. */
  root: string | undefined;
  /** Dates of the first and the last commit, RFC 3339 in UTC. */
  from?: string;
  to?: string;
  commits: number;
  /** Commits whose signature fits a key of the policy that was in force. */
  signed: number;
  events: number;
  versions: number;
  /** Who stands on each stage now, and by whose word. */
  standing: AuditStanding[];
  /** Every state of the policy, oldest first. */
  policies: { commit: string; by: string; at: string; signed: boolean }[];
  /** Oldest first; those of tags and refs last. */
  findings: Finding[];
}

/** A version on a stage, with what put it there. */
export interface AuditStanding {
  model: string;
  version: string;
  stage: string;
  traffic: number;
  since: string;
  by: string;
  /** Who approved it for that stage, where the word counts. */
  approvedBy: string[];
  manifest: string;
  /** Oids of the data that it was made from. */
  data: string[];
}

/** Findings that tell of something allowed that a reader should know of. */
export const NOTES: ReadonlySet<string> = new Set([
  'override',
  'other-signature',
  'policy-open',
  'other-file',
  'tag-not-here',
  'diverged',
]);
