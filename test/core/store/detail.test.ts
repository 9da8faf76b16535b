import { expect, it } from 'vitest';
import { packDetail, unpackDetail } from '../../../packages/core/src/store/sqlite/detail.ts';

const none = () => {
  throw new Error('no phrases here');
};
const known = { at: 1000, route: 'mx', phrases: { idOf: none, textOf: none } };
const base = {
  route: 'mx',
  host: 'mx.a.test',
  tls: true,
  startedAt: 900,
  ms: 40,
  steps: [{ step: 'CONN', reply: '220', ms: 1 }],
};

it.each([
  ['what every route says', base],
  [
    'what direct MX says',
    {
      ...base,
      tlsVersion: 'TLSv1.3',
      address: '192.0.2.1',
      localAddress: '192.0.2.9',
      considered: ['10 mx.a.test', '20 b.test'],
    },
  ],
  [
    'hosts that were considered, and none that answered',
    { route: 'mx', startedAt: 900, ms: 4, steps: [], considered: ['10 x'] },
  ],
])('a transcript is read as it was written: %s', (_what, transcript) => {
  const detail = { reply: '250 Ok', transcript };
  const packed = JSON.parse(packDetail(detail, { ...known, sharesUrl: false }) ?? '');
  expect(unpackDetail(packed, known)).toEqual(detail);
});

it('what was written before phrases were kept apart is read as it was', () => {
  const agent = { kind: 'human', evidence: 'browser', userAgent: 'x' };
  expect(unpackDetail({ g: agent, u: 'https://a.example/', l: 0 }, known)).toEqual({
    agent,
    url: 'https://a.example/',
    link: 0,
  });
});
