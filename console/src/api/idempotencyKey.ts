/**
 * Return a new idempotency key: 32 hexadecimal digits.
 *
 * Make one when a dialog opens and another when its request changes, and keep it for each repetition: the server then
 * does the request once. `crypto.randomUUID` exists on secure origins only.
 */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
