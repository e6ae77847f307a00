import type { VerbDeclaration } from '../verb.js';

/** Verbs that make versions of models. */
export const registryVersionVerbs: readonly VerbDeclaration[] = [];
