import { makeBigRegistry } from '../../test/helpers/big-registry.js';
import { type Context, makeRepository, must, type Row } from '../context.js';
import { contest } from '../measure.js';
import { type Line, summarize } from '../report.js';

const FULL = { models: 50, versions: 10_000, events: 50_000 };
const SMOKE = { models: 2, versions: 10, events: 50 };
const MOST_SECONDS = 0.5;

/** Questions to a large registry, start-up included. */
export const registry: Row = {
  id: 'registry',
  job: 'questions to a registry of 10,000 versions of 50 models, with 50,000 events',
  async run(context) {
    const repository = makeRepository(context, 'registry');
    const { env } = context.program(repository, ['git']);
    must(context.program(repository, ['git', 'commit', '--quiet', '--allow-empty', '--message', 'code']));
    context.say('making the registry');
    makeBigRegistry(repository, context.smoke ? SMOKE : FULL, env);
    const questions = [
      ['list'],
      ['resolve', 'model-01@production'],
      ['show', 'model-01@1.3.0'],
      ['history', 'model-01'],
    ];
    // The first look derives what later ones read.
    must(context.mlv(repository, ['list']));
    const samples = await contest(
      questions.map((args) => ({ name: args.join(' '), command: context.mlv(repository, args) })),
      context.runs(11),
    );
    return questions.map((args) => lineOf(context, args.join(' '), samples.get(args.join(' ')) ?? []));
  },
};

function lineOf(context: Context, question: string, samples: Parameters<typeof summarize>[1]): Line {
  const ours = summarize(`mlv ${question}`, samples);
  return {
    row: 'registry',
    job: `mlv ${question}`,
    figure: ours.seconds,
    unit: 'seconds',
    ours,
    ...context.limit(MOST_SECONDS),
  };
}
