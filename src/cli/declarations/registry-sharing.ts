import type { VerbDeclaration } from '../verb.js';

/** Verbs that share the registry. */
export const registrySharingVerbs: readonly VerbDeclaration[] = [];
