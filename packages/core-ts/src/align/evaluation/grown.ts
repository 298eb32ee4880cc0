/** `larger` with what `old` held at its beginning. */
export function grown<T extends { set(from: T): void }>(old: T, larger: T): T {
  larger.set(old)
  return larger
}
