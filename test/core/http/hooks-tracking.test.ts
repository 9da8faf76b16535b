import { describe, expect, it } from 'vitest';
import { bearer, brevoBounce, setting } from './hooks-support.ts';

const opened = { event: 'opened', reason: undefined };
const clicked = { event: 'click', reason: undefined, link: 'https://example.com/' };
const told = (warnings: readonly string[]): unknown[] =>
  warnings.map((line) => JSON.parse(line)).filter(({ provider, type }) => provider === 'brevo' && type !== undefined);

describe('a provider that tracks mail which the relay tracks itself', () => {
  it('is told of in the log once for opens, and once for clicks', async () => {
    const { send, post, warnings } = await setting({ tracking: { opens: true, clicks: true } });
    const [ada, bob] = [await send('ada@example.net'), await send('bob@example.net')];
    for (const event of [opened, clicked])
      for (const id of [ada, bob]) expect((await post('brevo', brevoBounce(id, event), bearer)).status).toBe(200);
    await expect
      .poll(() => told(warnings))
      .toEqual([
        { provider: 'brevo', type: 'opened' },
        { provider: 'brevo', type: 'clicked' },
      ]);
  });

  it('is left alone where the relay does not track, and of what is no mail of ours', async () => {
    const { send, post, warnings } = await setting({ tracking: { opens: false, clicks: true } });
    const id = await send('ada@example.net');
    expect((await post('brevo', brevoBounce(id, opened), bearer)).status).toBe(200);
    expect((await post('brevo', brevoBounce('dlv_zzzz', { ...clicked, email: 'x@example.net' }), bearer)).status).toBe(
      200,
    );
    expect((await post('brevo', brevoBounce(id, { event: 'delivered', reason: undefined }), bearer)).status).toBe(200);
    // What comes last is told of, and nothing before it.
    expect((await post('brevo', brevoBounce(id, clicked), bearer)).status).toBe(200);
    await expect.poll(() => told(warnings)).toEqual([{ provider: 'brevo', type: 'clicked' }]);
  });
});
