/**
 * Options for servers of tests. Node's close a connection that rests for five seconds, and a request that is on its way
 * at that moment fails: on a machine that is slow enough, a fault that no test asked for.
 */
export const KEPT_OPEN = { keepAliveTimeout: 0 };
