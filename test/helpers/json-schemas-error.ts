import { z } from 'zod';
import { ERROR_CODES } from '../../src/core/errors.js';

/** The value of `error`, and of what else describes an error. */
export const errorSchema = z.strictObject({
  code: z.enum(Object.keys(ERROR_CODES) as [string, ...string[]]).describe('see docs/exit-codes.md'),
  message: z.string(),
  hint: z.string().optional().describe('what to do next'),
  data: z.record(z.string(), z.unknown()).describe('facts: paths, oids, keys; depends on the code'),
});
