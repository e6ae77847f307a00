import { loadParts } from '../../workspace/part-store.js';
import { loadTargets } from '../../workspace/pointers.js';
import type { PartText } from '../../workspace/wanted-part.js';
import { openRepository } from '../context.js';
import { displayer } from '../operands.js';
import type { Session } from '../session.js';
import type { Result } from '../verb.js';

/** `mlv sparse list`: see its declaration. Errors: those of loadParts. */
export async function run(session: Session): Promise<Result> {
  const repository = await openRepository(session);
  const { targets } = await loadTargets(repository);
  const parts = loadParts(repository.layout);
  const show = displayer(repository);
  const found = targets.flatMap(({ path }) => {
    const part = parts.get(path);
    return part ? [{ directory: path, ...part.text }] : [];
  });
  return {
    text: found.length > 0 ? found.flatMap((each) => lines(each, show)) : ['no directory is partial'],
    json: { directories: found },
  };
}

function lines(
  { directory, paths, patterns, without }: PartText & { directory: string },
  show: (path: string) => string,
): string[] {
  const at = (below: string): string => show(below === '' ? directory : `${directory}/${below}`);
  const wanted = [...paths, ...patterns].map(at);
  const listed = wanted.length > 0 ? wanted : [`nothing of ${show(directory)}`];
  return [...listed, ...without.map((path) => `not ${at(path)}`)];
}
