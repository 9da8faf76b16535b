/** The scale that waiting times are counted on: each step is a quarter of a doubling, from a second on. */
const PER_DOUBLING = 4;
const FIRST_MS = 1000;

/** The step that a time falls in; 0 is all below the second. */
export function stepOf(ms: number): number {
  return ms < FIRST_MS ? 0 : 1 + Math.floor(Math.log2(ms / FIRST_MS) * PER_DOUBLING);
}

/** Where a step begins, ms. */
export function startOf(step: number): number {
  return step === 0 ? 0 : FIRST_MS * 2 ** ((step - 1) / PER_DOUBLING);
}
