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
