import type { Row } from '../context.js';
import { contest } from '../measure.js';
import { ratioLine } from '../report.js';

/** How long it takes before mlv says anything. */
export const startup: Row = {
  id: 'startup',
  job: 'start-up',
  async run(context) {
    const { directory } = context;
    const samples = await contest(
      [
        { name: 'node', command: context.program(directory, [process.execPath, '-e', '0']) },
        { name: '--version', command: context.mlv(directory, ['--version']) },
        { name: '--help', command: context.mlv(directory, ['--help']) },
      ],
      context.runs(21),
    );
    const theirs = { name: 'node -e 0', samples: samples.get('node') ?? [] };
    return ['--version', '--help'].map((option) =>
      ratioLine(
        { row: 'startup', job: `mlv ${option}`, ...context.limit(1.5) },
        { name: `mlv ${option}`, samples: samples.get(option) ?? [] },
        theirs,
      ),
    );
  },
};
