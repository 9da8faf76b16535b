// A state is waited for as long as it takes on a busy machine, unless a test says how long.
import { vi } from 'vitest';

const { waitFor } = vi;
vi.waitFor = (check, options) =>
  waitFor(check, typeof options === 'number' ? options : { timeout: 15_000, ...options });
