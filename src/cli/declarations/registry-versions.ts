import type { VerbDeclaration } from '../verb.js';

/** Verbs that make versions of models. */
export const registryVersionVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'register <model> [artifact...]',
    summary: 'Register a version of a model',
    description:
      'Writes a manifest of what the version is (artifacts) and what it was made from (data, parameters, metrics, ' +
      'environment, commit), and an annotated tag <model>@<version>. Pointers and code must be committed, and the objects ' +
      'must be on their remote. Without --version and --bump, the number follows from what changed. Registering the same ' +
      'content again does nothing. Without artifacts, those of the version before. Of artifacts that mlv run or mlv repro ' +
      'made, the record says the data, parameters, metrics and environment that are not given. See docs/registering.md.',
    options: [
      { flags: '--data <path>', description: 'tracked data that it was made from', many: true },
      { flags: '--params <file>', description: 'parameters: YAML, JSON, TOML or .py; file:name for some', many: true },
      { flags: '-p, --param <name=value>', description: 'one parameter', many: true },
      { flags: '--metrics <file>', description: 'metrics: JSON, YAML or CSV', many: true },
      { flags: '-m, --metric <name=value>', description: 'one metric; name:lower where less is better', many: true },
      { flags: '--on <data>', description: 'the data set that the metrics were measured on' },
      { flags: '--no-run', description: 'take nothing from the record of the run that made the artifacts' },
      { flags: '--version <number>', description: 'this number: 1.4.0, 1.4.0-rc.1 or 1.4.0.2.17' },
      {
        flags: '--bump <part>',
        description: 'raise this part of the number (default: auto)',
        choices: ['major', 'minor', 'patch', 'data', 'experiment', 'auto'],
      },
      { flags: '--parent <ref>', description: 'the version it came from (default: the one before it)' },
      { flags: '--component <ref>', description: 'a version of another model that it consists of', many: true },
      { flags: '--description <text>', description: 'what it is' },
      { flags: '--licence <id>', description: 'its licence, such as Apache-2.0' },
      { flags: '--owner <who>', description: 'who answers for it', many: true },
      { flags: '--retain-until <day>', description: 'no collection takes its objects before this day' },
      { flags: '--if <condition>', description: 'only register what meets it, such as: accuracy >= 0.93' },
      { flags: '--allow-dirty', description: 'keep what is not committed with the version, as a patch' },
      { flags: '--push', description: 'first send objects that their remote lacks' },
      { flags: '--push-objects', description: 'as --push; goes together with --no-push' },
      { flags: '--no-push', description: 'keep the registry in this clone until mlv registry push' },
      { flags: '-n, --dry-run', description: 'show the version, and what would refuse it; write nothing' },
    ],
    examples: [
      ['mlv register fraud model.pkl', 'a model that mlv run or mlv repro made: the rest is in its record'],
      ['mlv register fraud model.pkl --data data/train --params params.yaml --metrics metrics.json', 'a version'],
      ["mlv register fraud --metrics metrics.json --on data/test --if 'accuracy >= 0.93' --push", 'from a CI job'],
      ['mlv register fraud model.pkl --dry-run', 'which number, on which data, and would it pass?'],
      ['mlv register ensemble --component fraud@production --component geo@^2.1', 'a version made of others'],
    ],
    exits: [
      [4, 'objects are not in the cache, or not on their remote'],
      [5, 'the registry or an object is damaged'],
      [6, 'the condition does not hold, or the policy refuses'],
      [7, 'a remote cannot be used'],
    ],
    careful: true,
    load: () => import('../verbs/register.js'),
  },
];
