import { isMlvError, MlvError } from '../core/errors.js';
import type { Git } from '../git/git.js';
import type { ChainEntry } from '../git/plumbing.js';
import type { Signatures } from '../git/signed-object.js';
import { ChainAuditor, type ReadEntry } from './audit-chain.js';
import type { AuditReport, AuditStanding, Finding } from './audit-findings.js';
import { judgeTag, type TagFacts } from './audit-tags.js';
import { fetchRegistry } from './fetch-registry.js';
import { CLOCK_TOLERANCE } from './judge.js';
import { parseRegistryPath, REGISTRY_REF } from './layout.js';
import { parsePolicy } from './policy-format.js';
import type { VersionState } from './registry.js';
import { chooseRemote, type RegistryRefs, readRefs } from './registry-refs.js';

/** Commits whose contents are held at once. */
const BATCH = 2000;
/** The tip that this clone audited last: what does not lead back to it is a rewritten history. */
const AUDITED_REF = 'refs/mlv/registry-audited';

export interface AuditOptions {
  git: Git;
  /** The setting `registry.remote`. */
  remote: string | undefined;
  /** Ask the Git remote for its branch and tags first. */
  fetch: boolean;
  /** Whether Git may ask for a password. */
  interactive: boolean;
  /** Seconds since 1970. */
  now: number;
}

/**
 * Walks the registry's whole chain and judges every commit by what was in force before it, then tags and refs. Damage is
 * a finding and no error. Errors: `GIT_FAILED`, `REMOTE_NOT_CONFIGURED`.
 */
export async function auditRegistry(options: AuditOptions): Promise<AuditReport> {
  const { git, fetch, interactive } = options;
  const { plumbing } = git;
  const name = await chooseRemote(plumbing, options.remote).catch((error: unknown) => {
    if (isMlvError(error, 'REMOTE_NOT_CONFIGURED') && !fetch) return undefined;
    throw error;
  });
  if (fetch) {
    if (name === undefined) throw noRemote();
    await fetchRegistry({ plumbing, interactive }, name);
  }
  const refs = await readRefs(plumbing, { remote: name });
  const signatures = await git.signatures();
  try {
    const { tip, findings } = await judgeRefs(git, refs);
    const auditor = new ChainAuditor({ keyFacts: signatures.keyFacts, now: options.now + CLOCK_TOLERANCE });
    const times: number[] = [];
    const chain = tip === undefined ? [] : await git.chainLog(tip);
    for (let at = 0; at < chain.length; at += BATCH) {
      for (const entry of await readBatch(git, signatures, chain.slice(at, at + BATCH))) {
        times.push(entry.object.committer?.time ?? 0);
        auditor.take(entry);
      }
    }
    const versions = [...auditor.models.values()].flatMap(({ state }) => [...state.versions.values()]);
    findings.push(...(await judgeTags(options, { auditor, signatures, versions, remote: name })));
    if (chain.length > 0 && auditor.policy.policy === undefined) findings.push(openPolicy());
    if (tip !== undefined && !findings.some(({ code }) => code === 'history-rewritten')) await remember(git, tip);
    return report(auditor, { tip, root: chain[0]?.commit, times, findings: [...auditor.findings, ...findings] });
  } finally {
    signatures.close();
  }
}

/** Which tip is audited, and what the refs themselves tell. */
async function judgeRefs(git: Git, refs: RegistryRefs): Promise<{ tip: string | undefined; findings: Finding[] }> {
  const { plumbing } = git;
  const { local, tracking, seen, remote } = refs;
  const findings: Finding[] = [];
  const contains = async (older: string, newer: string): Promise<boolean> =>
    older === newer || plumbing.isAncestor(older, newer);
  const rewritten = (file: string, sentence: string): void =>
    void findings.push({ code: 'history-rewritten', gravity: 'fault', sentence, file });
  if (seen !== undefined && tracking !== undefined && !(await contains(seen, tracking))) {
    rewritten(
      `refs/remotes/${remote}/mlv-registry`,
      `the Git remote had ${seen}, and does not lead back to it any more`,
    );
  }
  let tip = local ?? tracking;
  if (local !== undefined && tracking !== undefined && !(await contains(tracking, local))) {
    tip = tracking;
    if (!(await contains(local, tracking))) {
      const sentence = `this clone has ${local}, which the Git remote lacks, and does not build on what it has`;
      findings.push({ code: 'diverged', gravity: 'note', sentence, file: REGISTRY_REF });
    }
  }
  const [audited] = await plumbing.currentRefs([AUDITED_REF]);
  if (audited !== undefined && (tip === undefined || !(await contains(audited.object, tip)))) {
    rewritten(
      REGISTRY_REF,
      `the last audit here ended at ${audited.object}, and the branch does not lead back to it any more`,
    );
  }
  return { tip, findings };
}

/** Reads a part of the chain: commits with their signatures, and the files that they brought. */
async function readBatch(git: Git, signatures: Signatures, chain: readonly ChainEntry[]): Promise<ReadEntry[]> {
  const wanted = chain.flatMap(({ changes }) => changes.filter(({ path }) => isRead(path)));
  const readable = wanted.filter(({ mode }) => mode?.startsWith('100'));
  const blobs = await git.readBlobs(readable.flatMap(({ blob }) => blob ?? []));
  for (const { path, blob = '' } of readable) {
    if (parseRegistryPath(path).kind === 'policy')
      await signatures.learn(keysIn(blobs.get(blob)?.toString('utf8') ?? ''));
  }
  const objects = await signatures.read(chain.map(({ commit }) => commit));
  return chain.map((entry) => {
    const texts = entry.changes.flatMap(({ path, blob = '' }) => {
      const bytes = blobs.get(blob);
      return bytes === undefined ? [] : [[path, bytes] as const];
    });
    return { ...entry, object: objects.get(entry.commit) as ReadEntry['object'], texts: new Map(texts) };
  });
}

function isRead(path: string): boolean {
  const { kind } = parseRegistryPath(path);
  return kind === 'policy' || kind === 'manifest' || kind === 'event';
}

function keysIn(policy: string): string[] {
  try {
    return parsePolicy(policy, { path: 'policy.yaml' }).signers.map(({ key }) => key);
  } catch (error) {
    // The auditor names it in its place.
    if (error instanceof MlvError) return [];
    throw error;
  }
}

async function judgeTags(
  { git, fetch }: AuditOptions,
  given: {
    auditor: ChainAuditor;
    signatures: Signatures;
    versions: readonly VersionState[];
    remote: string | undefined;
  },
): Promise<Finding[]> {
  const { auditor, signatures, versions, remote } = given;
  const refs = new Map((await git.plumbing.currentRefs(['refs/tags'])).map(({ name, object }) => [name, object]));
  const objects = [...refs].flatMap(([name, object]) => (name.includes('@') ? [object] : []));
  const tips =
    fetch && remote !== undefined ? (await git.remoteTips()).filter((tip) => tip.remote === remote) : undefined;
  const facts: TagFacts = {
    local: refs,
    objects: await signatures.read(objects),
    ...(tips && { remote: new Map(tips.map(({ ref, object }) => [ref, object])) }),
    shared: remote !== undefined,
    signers: auditor.policy.signers,
    keyFacts: signatures.keyFacts,
  };
  return versions.flatMap((version) => judgeTag(version, facts));
}

function openPolicy(): Finding {
  const sentence = 'everybody who may push may change the policy: it names no roles for that';
  return { code: 'policy-open', gravity: 'note', sentence, file: 'policy.yaml' };
}

async function remember({ plumbing }: Git, tip: string): Promise<void> {
  const [before] = await plumbing.currentRefs([AUDITED_REF]);
  if (before?.object !== tip) await plumbing.updateRefs([{ name: AUDITED_REF, to: tip, from: before?.object }]);
}

function report(
  auditor: ChainAuditor,
  given: Pick<AuditReport, 'tip' | 'root' | 'findings'> & { times: readonly number[] },
): AuditReport {
  const { tip, root, findings, times } = given;
  const instant = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
  const [first, last] = [times[0], times.at(-1)];
  return {
    tip,
    root,
    ...(first !== undefined && { from: instant(first) }),
    ...(last !== undefined && { to: instant(last) }),
    ...auditor.counts,
    standing: [...auditor.models.keys()].sort().flatMap((name) => standingOf(auditor, name)),
    policies: auditor.policies,
    findings,
  };
}

function standingOf(auditor: ChainAuditor, name: string): AuditStanding[] {
  const model = auditor.models.get(name);
  return [...(model?.state.stages ?? [])].flatMap(([stage, assigned]) =>
    assigned.flatMap(({ version, traffic, since, by }) => {
      const state = model?.state.versions.get(version);
      if (!model || !state) return [];
      const words = model.words(version).filter((word) => word.stage === stage && word.doubt === undefined);
      const approvedBy = [...new Set(words.filter(({ approved }) => approved).map((word) => word.by))];
      const { manifest, summary } = state;
      return [{ model: name, version, stage, traffic, since, by, approvedBy, manifest, data: summary.data }];
    }),
  );
}

function noRemote(): MlvError {
  return new MlvError('REMOTE_NOT_CONFIGURED', 'this repository has no Git remote to ask for the registry', {
    hint: 'without --fetch, the audit needs nothing but this clone',
  });
}
