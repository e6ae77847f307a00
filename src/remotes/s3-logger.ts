/** A logger for the AWS SDK that drops everything: without one the SDK warns on standard error by itself. */
export const SILENT_LOGGER = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
