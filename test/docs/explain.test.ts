import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './snippets.ts';

it('docs/explain.md says of each kind of reason what to do, and of no other', () => {
  const port = readFileSync(join(ROOT, 'packages/core/src/report/port.ts'), 'utf8');
  const type = /interface ExplainedReason \{([\s\S]*?)\n\}/.exec(port)?.[1] ?? '';
  const kinds = [...type.matchAll(/\| '([\w-]+)'/g)].map(([, kind]) => kind);
  const page = readFileSync(join(ROOT, 'docs/explain.md'), 'utf8');
  const [, reasons = ''] = /\n## Reasons\n([\s\S]*?)\n## /.exec(page) ?? [];
  expect(kinds.length).toBeGreaterThan(10);
  expect([...reasons.matchAll(/^\| `([\w-]+)` /gm)].map(([, kind]) => kind).toSorted()).toEqual(kinds.toSorted());
});
