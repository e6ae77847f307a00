import { MlvError } from '../core/errors.js';
import type { EarlyCopies } from '../objects/early-copy.js';
import { type CheckoutVersionReport, checkoutVersion } from '../registry/checkout-version.js';
import { fetchVersionTags } from '../registry/fetch-version-tags.js';
import { resolveReference, viewsInTime } from '../registry/reference-resolve.js';
import type { Registry, RegistryView } from '../registry/registry.js';
import { type ClosureMember, versionClosure } from '../registry/version-closure.js';
import { versionTargets } from '../registry/version-targets.js';
import { beginEarlyCopies } from '../workspace/early-copies.js';
import type { Selection, Target } from '../workspace/pointers.js';
import { checkoutErrors } from './checkout-errors.js';
import type { OpenRepository } from './context.js';
import { fetchCollected } from './fetch-selections.js';
import { registryOf } from './open-registry.js';
import { checkoutDocument, checkoutSummary } from './render/checkout.js';
import type { Session } from './session.js';
import { transferDocument, transferredLine } from './transfers.js';
import type { Result, VerbInput } from './verb.js';

/** A version that was found, with what it consists of and what belongs into the workspace. */
interface FoundTargets {
  members: readonly ClosureMember[];
  targets: Target[];
  view: RegistryView;
}

interface PlacedTargets {
  found: FoundTargets;
  input: VerbInput;
  copies?: EarlyCopies | undefined;
}

/**
 * `mlv checkout <version>`: brings a version into the workspace from the cache. Errors: those of references, of
 * versionClosure, versionTargets and checkoutVersion.
 */
export async function checkoutVersionVerb(
  session: Session,
  repository: OpenRepository,
  input: VerbInput & { reference: string },
): Promise<Result> {
  const registry = registryOf(session, repository.config.registry.remote, repository.git);
  const found = await findTargets(repository, { registry, view: await registry.viewOrFetch(), input });
  return placed(session, repository, { found, input });
}

/** `mlv pull <version>`: as checkoutVersionVerb, with what the cache lacks fetched first. Errors: those of fetch, too. */
export async function pullVersionVerb(
  session: Session,
  repository: OpenRepository,
  input: VerbInput & { reference: string },
): Promise<Result> {
  const registry = registryOf(session, repository.config.registry.remote, repository.git);
  const { remote } = await registry.status({ fetch: true });
  const found = await findTargets(repository, { registry, view: await registry.view(), input, remote });
  const selections = found.targets.map((target) => ({ target, below: '' }));
  const dryRun = input.options.dryRun === true;
  const copies = dryRun ? undefined : beginEarlyCopies(repository, selections);
  try {
    return await fetchedAndPlaced(session, repository, { found, input, selections, copies });
  } finally {
    copies?.end();
  }
}

async function fetchedAndPlaced(
  session: Session,
  repository: OpenRepository,
  { found, input, selections, copies }: PlacedTargets & { selections: readonly Selection[] },
): Promise<Result> {
  const collected = { selections: [...selections], problems: [] };
  const outcome = await fetchCollected(session, repository, { collected, options: input.options, copies });
  const { transferred, errors } = outcome;
  const dryRun = input.options.dryRun === true;
  const words = { verb: dryRun ? 'would fetch' : 'fetched', direction: 'from' } as const;
  const lines = transferred.map((each) => transferredLine(each, words));
  const document = transferDocument(outcome, { dryRun, problems: [] });
  if (dryRun) return { done: lines, json: { ...document, version: versionDocument(found) }, errors };
  const { done = [], json, errors: left = [], ...rest } = await placed(session, repository, { found, input, copies });
  const { version, problems: _none, ...checkout } = json as Record<string, unknown>;
  const missing = errors.length > 0 ? left.filter(({ code }) => code !== 'OBJECT_MISSING') : left;
  return {
    ...rest,
    done: [...lines, ...done],
    json: { ...document, checkout, version },
    errors: [...errors, ...missing],
  };
}

async function findTargets(
  repository: OpenRepository,
  {
    registry,
    view,
    input,
    remote,
  }: { registry: Registry; view: RegistryView; input: VerbInput & { reference: string }; remote?: string | undefined },
): Promise<FoundTargets> {
  const found = await resolveReference(view, input.reference, { viewAtTime: viewsInTime(registry) });
  const members = await versionClosure(found.view, { model: found.model.name, version: found.version.version });
  const manifests = members.map(({ manifest }) => manifest);
  if (remote !== undefined) await fetchVersionTags(repository.git, manifests, { remote, interactive: false });
  const artifactsOnly = input.options.artifactsOnly === true;
  return { members, targets: await versionTargets(repository, members, { artifactsOnly }), view };
}

async function placed(
  session: Session,
  repository: OpenRepository,
  { found, input, copies }: PlacedTargets,
): Promise<Result> {
  const registered = await registeredOids(found);
  const report = await checkoutVersion(repository, found.targets, {
    force: input.options.force === true,
    isRegistered: (oid) => registered.has(oid),
    reporter: session.reporter,
    signal: session.signal,
    copies,
  });
  const [root] = found.members as [ClosureMember];
  const { commit } = root.manifest;
  const name = nameOf(root);
  const head = await repository.git.head();
  return {
    done: [`${name}: ${checkoutSummary(report.checkout)}`],
    notes: head === commit ? [] : [`HEAD and the code stay as they are; the code of ${name}: git checkout ${name}`],
    json: {
      ...checkoutDocument(report.checkout),
      problems: [],
      version: { ...versionDocument(found), pointers: report.pointers, refusedPointers: report.refusedPointers },
    },
    errors: [...pointerErrors(report), ...checkoutErrors(report.checkout)],
  };
}

async function registeredOids({ members, view }: FoundTargets): Promise<Set<string>> {
  const oids = new Set<string>();
  for (const name of new Set(members.map(({ manifest }) => manifest.model))) {
    for (const { summary } of (await view.model(name))?.versions.values() ?? []) {
      for (const oid of [...summary.artifacts, ...summary.data]) oids.add(oid);
    }
  }
  return oids;
}

function pointerErrors({ refusedPointers }: CheckoutVersionReport): MlvError[] {
  if (refusedPointers.length === 0) return [];
  const [first] = refusedPointers;
  const what = refusedPointers.length === 1 ? `the pointer '${first}' says` : `${refusedPointers.length} pointers say`;
  return [
    new MlvError('UNSAVED_CHANGES', `${what} what no commit and no version has; it was kept`, {
      hint: `commit it: git add ${first} && git commit; or overwrite it: --force`,
      data: { paths: refusedPointers },
    }),
  ];
}

function versionDocument({ members, targets }: FoundTargets): Record<string, unknown> {
  const [root] = members as [ClosureMember];
  const { model, version, commit } = root.manifest;
  return {
    reference: nameOf(root),
    model,
    version,
    manifest: root.digest,
    commit,
    components: members.slice(1).map(nameOf),
    targets: targets.map(({ path, pointer }) => ({ path, oid: pointer.oid, size: pointer.size })),
  };
}

function nameOf({ manifest }: ClosureMember): string {
  return `${manifest.model}@${manifest.version}`;
}
