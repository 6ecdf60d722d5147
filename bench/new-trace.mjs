// What the peers in JavaScript have in common beside their policies.

/** A trace of our own (W3C Trace Context), where the caller brings none. */
export function newTrace() {
  const hex = crypto.randomUUID().replaceAll("-", "") + crypto.randomUUID().replaceAll("-", "");
  return `00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-00`;
}
