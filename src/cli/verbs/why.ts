import { MlvError } from '../../core/errors.js';
import type { Oid } from '../../objects/oid.js';
import { makersOf } from '../../provenance/makers.js';
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
  const { runs: nodes, imports } = makersOf(graph, starts);
  if (nodes.length === 0 && imports.length === 0) throw unknown(operand, gaps);
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
