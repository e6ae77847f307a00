/** The value of a parameter; names are dotted (`model.depth`). */
export type ParamValue = string | number | boolean | null | ParamValue[];
