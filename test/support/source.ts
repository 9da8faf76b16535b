/**
 * Options of Node to run the packages from their sources. V8 of Node 24 can crash as it replaces wrappers of WebAssembly in
 * one thread while another ends; the type stripper is WebAssembly, and every engine's thread has one, so that none are replaced.
 */
export const SOURCE_ARGUMENTS: readonly string[] = [
  '--conditions=@mailrelay/source',
  '--wasm-wrapper-tiering-budget=1000000000',
];

/** The same for programs with decorators. */
export const DECORATOR_ARGUMENTS: readonly string[] = [
  ...SOURCE_ARGUMENTS,
  `--import=${new URL('./decorators.ts', import.meta.url).href}`,
];
