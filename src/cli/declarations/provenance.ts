import type { VerbDeclaration } from '../verb.js';

/** Verbs that record and answer how data and models came to be. */
export const provenanceVerbs: readonly VerbDeclaration[] = [];
