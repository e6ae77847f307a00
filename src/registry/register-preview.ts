import { isMlvError, type MlvError } from '../core/errors.js';
import { emptyModel } from './fold.js';
import { broughtBy, refused } from './judge-commit.js';
import type { Manifest } from './manifest.js';
import { versionName } from './reference-resolve.js';
import { gatherVersion, notesOn, type RegisterReport, type RegisterServices } from './register.js';
import { decideRegistration } from './register-decision.js';
import type { RegisterRequest } from './register-request.js';
import type { VersionState } from './registry.js';
import { judgeProposal } from './transition.js';
import type { VersionDetail } from './version-detail.js';
import { refuseCheckedOut, refuseStrayTag } from './write-obstacles.js';

/** What a registration would come to. */
export interface RegisterPreview extends RegisterReport {
  /** Everything that would refuse it: the condition, the workspace, a remote that lacks objects, the policy, a tag in the way. */
  refusals: MlvError[];
  /** The version as the registry would tell it. */
  detail: VersionDetail;
}

/**
 * Says what register would write, on the newest state that this clone knows, and what would refuse it. Nothing is stored or
 * sent. Errors: those of register that leave no version to tell of (`VERSION_EXISTS`, what is not tracked or not added).
 */
export async function previewRegistration(
  services: RegisterServices,
  asked: RegisterRequest,
): Promise<RegisterPreview> {
  const { repository, registry, now } = services;
  const refusals: MlvError[] = [];
  const view = await registry.viewOrFetch();
  const gathered = await gatherVersion(services, asked, { dryRun: true, refuse: (error) => refusals.push(error) });
  const { draft } = gathered;
  const { condition: _, ...request } = gathered.request;
  const { state, manifest, digest, change } = await decideRegistration(view, { repository, request, draft, now });
  if (change) {
    const seconds = (): number => Math.floor(now().getTime() / 1000);
    const judged = await judgeProposal(view, change, { git: repository.git, by: manifest.author, now: seconds });
    if (judged.refusals.length > 0) refusals.push(refused(change.subject, judged.refusals, []));
    const { plumbing } = repository.git;
    await collect(refusals, () => refuseStrayTag(plumbing, versionName(manifest)));
    await collect(refusals, () => refuseCheckedOut(plumbing));
  }
  const model = (await view.model(manifest.model)) ?? emptyModel(manifest.model);
  const version = model.versions.get(manifest.version) ?? brought(manifest);
  const detail = { model, state: version, manifest, standing: [], events: [], components: componentsOf(manifest) };
  return {
    state,
    manifest,
    digest,
    commit: undefined,
    pushed: false,
    notes: notesOn(gathered, manifest),
    refusals,
    detail,
  };
}

async function collect(refusals: MlvError[], check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!isMlvError(error)) throw error;
    refusals.push(error);
  }
}

function brought(manifest: Manifest): VersionState {
  const { registers } = broughtBy({ subject: '', register: { manifest } });
  return [...registers.values()][0] as VersionState;
}

function componentsOf({ components = [] }: Manifest): VersionDetail['components'] {
  return components.map((component) => ({ ...component, stages: [], metrics: {}, components: [] }));
}
