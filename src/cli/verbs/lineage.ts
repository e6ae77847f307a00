import { MlvError } from '../../core/errors.js';
import type { LineageNode, Reached } from '../../provenance/lineage.js';
import { annotationsOf } from '../../workspace/annotate.js';
import type { Annotation } from '../../workspace/annotation.js';
import { loadTargets, type Target } from '../../workspace/pointers.js';
import { askLineage } from '../lineage-question.js';
import { lineageDot, lineageMermaid, lineageText } from '../render/lineage.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv lineage`: see its declaration. Errors: those of askLineage, `USAGE`. */
export async function run(session: Session, { args: [operand = ''], options }: VerbInput): Promise<Result> {
  if (options.mermaid === true && options.dot === true) {
    throw new MlvError('USAGE', '--mermaid and --dot cannot both be printed', { hint: 'choose one' });
  }
  const { repository, graph, starts, gaps } = await askLineage(session, operand);
  const both = options.up !== true && options.down !== true;
  const up = both || options.up === true ? graph.reach(starts, 'up') : undefined;
  const down = both || options.down === true ? graph.reach(starts, 'down') : undefined;
  const all = merged([up, down].filter((each) => each !== undefined));
  const { targets } = await loadTargets(repository);
  const draw = options.mermaid === true ? lineageMermaid : options.dot === true ? lineageDot : undefined;
  return {
    text: draw ? draw(all) : lineageText({ starts, up, down }, session.style),
    json: { starts, nodes: withAnnotations(all, targets), edges: all.edges, gaps },
    notes: gaps,
  };
}

function merged(parts: readonly Reached[]): Reached {
  const nodes = new Map(parts.flatMap((part) => part.nodes.map((node) => [node.id, node] as const)));
  const edges = new Map(parts.flatMap((part) => part.edges.map((edge) => [JSON.stringify(edge), edge] as const)));
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

/** What the pointers of today say of the origin of the contents that they name. */
function withAnnotations(
  { nodes }: Reached,
  targets: readonly Target[],
): (LineageNode & { annotation?: Annotation })[] {
  const annotations = annotationsOf(targets);
  const byOid = new Map(targets.map(({ path, pointer }) => [pointer.oid as string, annotations.get(path)]));
  return nodes.map((node) => {
    const annotation = node.kind === 'content' ? byOid.get(node.id) : undefined;
    return annotation ? { ...node, annotation } : node;
  });
}
