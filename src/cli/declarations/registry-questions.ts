import type { VerbDeclaration } from '../verb.js';

/** Verbs that ask the registry. */
export const registryQuestionVerbs: readonly VerbDeclaration[] = [];
