import { createHmac, timingSafeEqual } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { defineProvider, isMailRelayError, type WebhookProvider } from '../../../packages/core/src/index.ts';
import { checkProvider, type ProviderCase } from '../../../packages/core/src/testing/index.ts';

const sign = (body: string | Uint8Array): string => createHmac('sha256', 'key').update(body).digest('hex');

/** A provider that does it right; each part can be done wrong. */
function acme(over: Partial<WebhookProvider> = {}): WebhookProvider {
  return defineProvider({
    name: 'acme',
    verify(request) {
      const given = Buffer.from(request.header('x-acme-signature') ?? '');
      const own = Buffer.from(sign(request.body));
      const right = given.length === own.length && timingSafeEqual(given, own);
      return right ? { ok: true } : { ok: false, because: 'its signature is not by our key' };
    },
    read(request) {
      const said = parse(request.body);
      if (said === undefined) return undefined;
      return [{ id: `${said.id}`, type: 'delivered', at: 1, source: 'acme', recipient: `${said.to}` }];
    },
    ...over,
  });
}

function parse(body: Uint8Array): { id?: unknown; to?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

const body = JSON.stringify({ id: 'e-1', to: 'ada@example.com' });
const cases: readonly ProviderCase[] = [
  {
    name: 'delivered',
    hook: { body, headers: { 'X-Acme-Signature': sign(body) } },
    events: [{ id: 'e-1', type: 'delivered', recipient: 'ada@example.com' }],
  },
];
const problems = async (over: Partial<WebhookProvider>): Promise<string> =>
  (await checkProvider(acme(over), { cases })).map(({ says }) => says).join('\n');

describe('checkProvider', () => {
  it('finds nothing wrong with a provider that is right', async () => {
    expect(await checkProvider(acme(), { cases })).toEqual([]);
  });

  it('says what is wrong', async () => {
    expect(await problems({ verify: () => ({ ok: false, because: 'no' }) })).toMatch(/is refused: no/);
    expect(await problems({ verify: () => ({ ok: true }) })).toMatch(
      /counts without its headers\ncounts with another body/,
    );
    expect(await problems({ read: () => undefined })).toBe('cannot be read');
    expect(await problems({ read: () => [] })).toMatch(/says 0 things, and 1 are expected/);
    expect(await problems({ name: 'other' })).toMatch(/source is not other/);
    let calls = 0;
    const read: WebhookProvider['read'] = () => {
      calls += 1;
      return [{ id: String(calls), type: 'delivered', at: 1, source: 'acme', recipient: 'bob@example.com' }];
    };
    expect(await problems({ read })).toMatch(/its id changes/);
    expect(await problems({ read })).toMatch(/recipient is "bob@example.com", not "ada@example.com"/);
    const throws: WebhookProvider['read'] = ({ body: bytes }) => JSON.parse(Buffer.from(bytes).toString());
    expect(await problems({ read: throws })).toMatch(/throws for the body ""/);
  });

  it('needs a case', async () => {
    await expect(checkProvider(acme(), { cases: [] })).rejects.toThrow(/needs at least one/);
  });
});

describe('defineProvider', () => {
  it('refuses what is no provider', () => {
    const refused = (over: object): string | undefined => {
      try {
        acme(over as Partial<WebhookProvider>);
        return undefined;
      } catch (error) {
        return isMailRelayError(error) ? error.code : 'other';
      }
    };
    for (const over of [
      { name: 'Acme' },
      { name: '' },
      { verify: undefined },
      { read: 1 },
      { secret: 'short' },
      { confirm: 1 },
    ])
      expect(refused(over)).toBe('OPTIONS_INVALID');
    expect(refused({ secret: 'a-secret-of-16-chars' })).toBeUndefined();
  });
});
