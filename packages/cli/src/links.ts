/** Whether the links of mails answer. */
import { isReservedHost } from './addresses.ts';
import { type Answered, type AskOptions, ask, Refused } from './ask.ts';

const AT_ONCE = 8;
const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Asks every address once, a few at a time, and answers what is wrong with those that do not lead anywhere, by address
 * without its fragment. What lies in a domain for examples is not asked.
 */
export async function askLinks(
  addresses: readonly string[],
  options: AskOptions,
): Promise<ReadonlyMap<string, string>> {
  const waiting = [...new Set(addresses.map(withoutFragment))];
  const problems = new Map<string, string>();
  async function work(): Promise<void> {
    for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
      const problem = await problemWith(new URL(address), options);
      if (problem !== undefined) problems.set(address, problem);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return problems;
}

/** The same page, whatever place of it a link leads to. */
export function withoutFragment(address: string): string {
  const url = new URL(address);
  url.hash = '';
  return url.href;
}

/** Many servers do not know HEAD, or answer it otherwise: only what GET says as well is a problem. */
async function problemWith(url: URL, options: AskOptions): Promise<string | undefined> {
  const problem = await follow(url, 'HEAD', options);
  if (problem === undefined) return undefined;
  return follow(url, 'GET', options);
}

async function follow(start: URL, method: 'HEAD' | 'GET', options: AskOptions): Promise<string | undefined> {
  let url = start;
  for (let hops = 0; hops <= MOST_REDIRECTS; hops += 1) {
    // A link may end in another program, such as an app store.
    if (!/^https?:$/.test(url.protocol) || isReservedHost(url.hostname)) return undefined;
    const answered = await answerOf(url, method, options);
    const where = url === start ? '' : ` at ${url.href}`;
    if (typeof answered === 'string') return `${answered}${where}`;
    const { status, location } = answered;
    if (location === undefined || !REDIRECTS.has(status)) return status < 400 ? undefined : `answers ${status}${where}`;
    const next = URL.parse(location, url.href);
    if (next === null) return `is redirected to an address that cannot be read${where}`;
    url = next;
  }
  return `is redirected more than ${MOST_REDIRECTS} times`;
}

async function answerOf(url: URL, method: 'HEAD' | 'GET', options: AskOptions): Promise<Answered | string> {
  try {
    return await ask(url, method, options);
  } catch (error) {
    if (error instanceof Refused)
      return `leads to the private address ${error.address}, which is not asked without --allow-private`;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ABORT_ERR') return `does not answer within ${options.timeoutMs / 1000} s`;
    return `does not answer (${code ?? message})`;
  }
}
