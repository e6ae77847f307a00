import type { VerbDeclaration } from '../verb.js';

/** Verbs that exchange what mlv knows with other tools. */
export const interopVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'export <reference>',
    summary: 'Write a version as a document of a standard',
    description:
      'A reference names a version: fraud@1.4.0, fraud@production. A tracked file or directory that a run made can be named, ' +
      'too, but not for a model card. in-toto: a Statement with the Link predicate. slsa: a Statement with SLSA Provenance v1. ' +
      'cyclonedx: an ML-BOM, 1.6. spdx: 3.0.1 with the profiles AI and Dataset. mlflow: a directory for its file store, with ' +
      'the artifacts. hf-card: README.md for the Hugging Face Hub. ro-crate: ro-crate-metadata.json, 1.1. The same version ' +
      'always gives the same bytes. See docs/export.md.',
    options: [
      {
        flags: '-f, --format <name>',
        description: 'of what standard',
        choices: ['in-toto', 'slsa', 'cyclonedx', 'spdx', 'mlflow', 'hf-card', 'ro-crate'],
      },
      { flags: '-o, --output <path>', description: 'write it there (default: print it; mlflow needs one)' },
      { flags: '--force', description: 'overwrite the file' },
    ],
    examples: [
      ['mlv export fraud@production --format slsa', 'who made it of what, for a verifier'],
      ['mlv export fraud@1.4.0 --format cyclonedx -o bom.cdx.json', 'for the inventory'],
      ['mlv export model.pkl --format in-toto', 'the run that made a file'],
      ['mlv export fraud@1.4.0 --format mlflow -o exported', 'a directory with mlruns for MLflow'],
    ],
    exits: [
      [4, 'no run is known that made the file, or the cache lacks an artifact'],
      [5, 'a file of the registry is damaged or forged'],
    ],
    load: () => import('../verbs/export.js'),
  },
];

/** A verb of `mlv import`. */
export const importMlflowVerb: VerbDeclaration = {
  usage: 'mlflow <store>',
  summary: 'Import runs and registered models of MLflow as versions',
  description:
    'The store is a directory (mlruns), a URL of a tracking server, or sqlite:///mlflow.db. Version 3 of a registered ' +
    'model becomes 3.0.0 of a model with that name; the finished runs of an experiment become 0.1.0, 0.2.0, … of a model ' +
    'with its name. Parameters, metrics, tags, time and source are kept in the manifest, artifacts are tracked in one ' +
    'directory a model, with a commit for each version. Stages and aliases become stages where the policy allows it. ' +
    'The store is only read, every artifact is proved to be the same afterwards, and repeating it imports what is new. ' +
    'A server is asked as MLFLOW_TRACKING_USERNAME with MLFLOW_TRACKING_PASSWORD, or with MLFLOW_TRACKING_TOKEN. See ' +
    'docs/migrating-from-mlflow.md.',
  options: [
    { flags: '--experiment <name>', description: 'only its runs and what was registered of them', many: true },
    { flags: '--model <name>', description: 'only this registered model', many: true },
    {
      flags: '--tracked-under <directory>',
      description: 'where the artifacts are tracked, a directory a model (default: mlflow)',
    },
    {
      flags: '--artifacts <directory>',
      description: 'also look there for artifacts that the store names by a path',
      many: true,
    },
    { flags: '-n, --dry-run', description: 'say what would be imported, and write nothing' },
    { flags: '--no-push', description: 'keep objects and registry in this clone' },
  ],
  examples: [
    ['mlv import mlflow mlruns --dry-run', 'what would come of it?'],
    ['mlv import mlflow https://mlflow.example.com --model fraud', 'one model of a server'],
    ['mlv import mlflow sqlite:///mlflow.db --experiment churn', 'one experiment of a database'],
  ],
  exits: [
    [4, 'some artifacts cannot be reached; the others were imported'],
    [5, 'the store is not what it should be, or an artifact changed while it was imported'],
    [7, 'the server cannot be reached or refuses'],
  ],
  careful: true,
  load: () => import('../verbs/import-mlflow.js'),
};
