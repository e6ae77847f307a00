/** The team's rules, `policy.yaml` on the registry's branch; see policy-format.ts and docs/formats/policy.md. */
export interface Policy {
  mlv: 1;
  /** Mail addresses by role. */
  roles: Record<string, string[]>;
  signers: Signer[];
  /** By name, in the order of a model's life. `none` and, where not named, `archived` always exist. */
  stages: Record<string, StagePolicy>;
  /** Who may change this file; anyone where absent. */
  policy?: { roles: string[]; signed?: boolean };
  /** Who may register; anyone where absent. */
  register?: { roles?: string[]; signed?: boolean };
}

export interface Signer {
  /** The mail address that the key speaks for. */
  who: string;
  /** An OpenSSH public key (`ssh-ed25519 AAAA…`), or an armoured OpenPGP public key. */
  key: string;
  /** RFC 3339; signatures outside are refused. */
  valid_after?: string;
  valid_before?: string;
  /** From the commit that says so on, nothing new counts that this key signs. */
  revoked?: boolean;
}

export interface StagePolicy {
  /** Stages that a version may come from; any where absent. */
  from?: string[];
  /** Rules such as `auc >= 0.9` or `auc >= @production - 0.01` (what the stage has now). */
  metrics?: string[];
  /** Data sets on which an `evaluated` event must exist, with rules for its metrics. */
  evaluations?: { on: string; metrics?: string[] }[];
  approvals?: {
    count: number;
    role?: string /** True unless said otherwise: an author's approval does not count. */;
    not_author?: boolean;
  };
  /** Commands run in the restored version, only where the caller allows it. */
  checks?: { name: string; command: string }[];
  /** True: promotions and approvals of this stage must be signed by a key in force. */
  signed?: boolean;
  /** Days on which nothing is promoted: both ends included. */
  freeze?: { from: string; to: string; reason?: string }[];
  /** Who may promote to this stage; anyone where absent. */
  roles?: string[];
  /** Who may override a failed gate with a reason; nobody where absent. */
  override?: { roles: string[] };
}

/** What holds where the registry has no `policy.yaml`: none, staging, production, archived, and no gates. */
export const DEFAULT_POLICY: Policy = {
  mlv: 1,
  roles: {},
  signers: [],
  stages: { staging: {}, production: {}, archived: {} },
};
