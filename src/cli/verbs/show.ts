import { resolveReference, versionName, viewsInTime } from '../../registry/reference-resolve.js';
import { versionDetail } from '../../registry/version-detail.js';
import { openRegistryHere } from '../open-registry.js';
import { versionLines } from '../render/version.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';
import { annotationsAt } from '../version-annotations.js';

/** `mlv show`: see its declaration. Errors: those of resolveReference and versionDetail. */
export async function run(session: Session, { args: [reference = ''], options }: VerbInput): Promise<Result> {
  const { registry, git } = await openRegistryHere(session);
  const view = await registry.viewOrFetch();
  const found = await resolveReference(view, reference, { viewAtTime: viewsInTime(registry) });
  const detail = await versionDetail(found);
  const { state, manifest, standing, events, components } = detail;
  const annotations = await annotationsAt(git, manifest);
  return {
    text: versionLines(detail, { style: session.style, events: options.events !== false }),
    json: {
      reference,
      name: versionName(state),
      digest: state.manifest,
      manifest,
      stages: standing,
      evaluations: state.evaluations,
      approvals: state.approvals,
      ...(state.deprecated && { deprecated: state.deprecated }),
      ...(state.reproduced && { reproduced: state.reproduced }),
      components,
      annotations,
      events: events.map(({ seq, id, what, event }) => ({ seq, id, what, ...event })),
    },
  };
}
