import type { VersionNode } from '../../provenance/lineage.js';
import { askLineage } from '../lineage-question.js';
import { alignColumns } from '../render/table.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv impact`: see its declaration. Errors: those of askLineage. */
export async function run(session: Session, { args: [operand = ''] }: VerbInput): Promise<Result> {
  const { graph, starts, gaps } = await askLineage(session, operand);
  const { nodes } = graph.reach(starts, 'down');
  const versions = nodes.filter((node): node is VersionNode => node.kind === 'version' && !starts.includes(node.id));
  versions.sort((left, right) => left.id.localeCompare(right.id, 'en', { numeric: true }));
  return {
    text: alignColumns(
      versions.map(({ id, stages, deprecated }) => [id, [...stages, ...(deprecated ? ['deprecated'] : [])].join(', ')]),
    ),
    json: {
      starts,
      versions: versions.map(({ id, stages, deprecated }) => ({ version: id, stages, deprecated })),
      gaps,
    },
    notes: [...(versions.length === 0 ? ['no version came of it'] : []), ...gaps],
  };
}
