import type { VerbDeclaration } from '../verb.js';

/** Verbs that move versions through stages, judge them and check the registry. */
export const registryStageVerbs: readonly VerbDeclaration[] = [];
