import type { Verdict } from '../provenance/reproduction.js';
import { resolveReference, versionName } from './reference-resolve.js';
import { type Carried, carryOut, eventBase, type Proposer } from './transition.js';

/** What came of running a version's runs again. */
export interface ReproductionRequest {
  reference: string;
  verdict: Verdict;
  /** What was found, one line each. */
  found: readonly string[];
  reason?: string | undefined;
}

/** Records that a version was reproduced, and how near it came. Errors: `REGISTRY_REFUSED`, those of Registry.change. */
export function recordReproduction(proposer: Proposer, request: ReproductionRequest): Promise<Carried> {
  const { reference, verdict, found } = request;
  return carryOut(proposer, async (view) => {
    const { version } = await resolveReference(view, reference);
    const lines = found.length > 0 ? { found: [...found] } : {};
    const event = { ...eventBase(version, proposer, request), type: 'reproduced' as const, verdict, ...lines };
    return { event, version, subject: `${versionName(version)}: reproduced, ${verdict}` };
  });
}
