import { MlvError } from '../../core/errors.js';
import type { Oid } from '../../objects/oid.js';
import type { ImportNode, RunNode } from '../../provenance/lineage.js';
import { readRun } from '../../provenance/run-store.js';
import { annotationsOf } from '../../workspace/annotate.js';
import { loadTargets } from '../../workspace/pointers.js';
import { askLineage } from '../lineage-question.js';
import { displayer } from '../operands.js';
import { annotationLines } from '../render/annotation.js';
import { importLabel } from '../render/lineage.js';
import { runLines } from '../render/run-record.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv why`: see its declaration. Errors: those of askLineage, `OBJECT_MISSING` where no record of a run is known. */
export async function run(session: Session, { args: [operand = ''] }: VerbInput): Promise<Result> {
  const { repository, graph, starts, gaps } = await askLineage(session, operand);
  const up = graph.reach(starts, 'up');
  const near = new Set(starts);
  // A file comes of the run that made its directory; a version of those that made its artifacts.
  for (const { from, to, as } of up.edges)
    if (starts.includes(to) && (as === 'part' || as === 'artifact')) near.add(from);
  const makers = new Set(up.edges.filter(({ to, as }) => as === 'output' && near.has(to)).map(({ from }) => from));
  const nodes = up.nodes.filter((node): node is RunNode => node.kind === 'run' && makers.has(node.id));
  // A directory was not brought here by the imports of files that it happens to hold, too.
  const whole = [...near].filter((id) => !starts.some((start) => graph.holds(start, id)));
  const origins = new Set(
    up.edges.filter(({ to, as }) => as === 'import' && whole.includes(to)).map(({ from }) => from),
  );
  const imports = up.nodes.filter((node): node is ImportNode => node.kind === 'import' && origins.has(node.id));
  if (nodes.length === 0 && imports.length === 0) throw unknown(operand, gaps);
  nodes.sort((left, right) => (left.ended < right.ended ? 1 : -1));
  const runs = nodes.map(({ id }) => ({ oid: id, record: readRun(repository, id as Oid).record }));
  const { targets } = await loadTargets(repository);
  const annotations = annotationsOf(targets.filter(({ pointer }) => starts.includes(pointer.oid)));
  const said = [...annotations].flatMap(([path, annotation]) => {
    const oid = targets.find((target) => target.path === path)?.pointer.oid ?? '';
    return [
      '',
      session.style.bold(`what is said of ${displayer(repository)(path)}`),
      ...annotationLines(annotation, oid),
    ];
  });
  return {
    text: runs
      .flatMap(({ oid, record }, at) => [...(at > 0 ? [''] : []), ...runLines(oid, record, session.style)])
      .concat(imports.map(importLabel), said),
    json: {
      starts,
      runs: runs.map(({ oid, record }) => ({ oid, ...record })),
      imports,
      annotations: Object.fromEntries(annotations),
      gaps,
    },
    notes: gaps,
  };
}

function unknown(operand: string, gaps: readonly string[]): MlvError {
  return new MlvError('OBJECT_MISSING', `no run is known that made '${operand}', and it was not imported`, {
    hint: gaps[0] ?? 'they are recorded by: mlv run, mlv repro, mlv import, mlv import-url',
    data: { operand },
  });
}
