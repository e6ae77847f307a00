/** The value of a parameter; names are dotted (`model.depth`). */
export type ParamValue = string | number | boolean | null | ParamValue[];

/** Parameters by dotted name. */
export type Params = Record<string, ParamValue>;
