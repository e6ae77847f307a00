import { MlvError } from '../../core/errors.js';
import type { Reached } from '../../provenance/lineage.js';
import { askLineage } from '../lineage-question.js';
import { lineageDot, lineageMermaid, lineageText } from '../render/lineage.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv lineage`: see its declaration. Errors: those of askLineage, `USAGE`. */
export async function run(session: Session, { args: [operand = ''], options }: VerbInput): Promise<Result> {
  if (options.mermaid === true && options.dot === true) {
    throw new MlvError('USAGE', '--mermaid and --dot cannot both be printed', { hint: 'choose one' });
  }
  const { graph, starts, gaps } = await askLineage(session, operand);
  const both = options.up !== true && options.down !== true;
  const up = both || options.up === true ? graph.reach(starts, 'up') : undefined;
  const down = both || options.down === true ? graph.reach(starts, 'down') : undefined;
  const all = merged([up, down].filter((each) => each !== undefined));
  const draw = options.mermaid === true ? lineageMermaid : options.dot === true ? lineageDot : undefined;
  return {
    text: draw ? draw(all) : lineageText({ starts, up, down }, session.style),
    json: { starts, nodes: all.nodes, edges: all.edges, gaps },
    notes: gaps,
  };
}

function merged(parts: readonly Reached[]): Reached {
  const nodes = new Map(parts.flatMap((part) => part.nodes.map((node) => [node.id, node] as const)));
  const edges = new Map(parts.flatMap((part) => part.edges.map((edge) => [JSON.stringify(edge), edge] as const)));
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}
