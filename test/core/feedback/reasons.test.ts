import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repliesIn } from '../../../packages/core/src/feedback/mail/bounce-text.ts';
import { parseBounceMail } from '../../../packages/core/src/feedback/mail/parse.ts';
import { judge, VAGUE_RULES, WORD_RULES } from '../../../packages/core/src/reasons/judge.ts';
import { corpus } from './corpus.ts';

const REPLIES = readFileSync(join(import.meta.dirname, 'replies.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(' | '));

describe('reasons', () => {
  it.each(REPLIES)('%s, %s, by %s: %s', (reason, kind, rule, text = '') => {
    expect(judge({ text, ...repliesIn(text) })).toMatchObject({ reason, kind, rule });
  });

  it('are decided by every rule of the tables for some reply, and for some mail', () => {
    const names = [...WORD_RULES, ...VAGUE_RULES].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const byReply = new Set(REPLIES.map(([, , , text = '']) => judge({ text, ...repliesIn(text) }).rule));
    expect(names.filter((name) => !byReply.has(name))).toEqual([]);
    const byMail = new Set(
      corpus().flatMap(({ raw }) => parseBounceMail(Buffer.from(raw)).findings.map(({ judged }) => judged?.rule)),
    );
    console.info(
      `rules: ${names.length}, hit by replies: ${byReply.size - 2}, by mails: ${names.filter((name) => byMail.has(name)).length}`,
    );
    expect(names.filter((name) => !byMail.has(name))).toEqual([]);
  });

  it('never hold the recipient to account for what is not about them', () => {
    for (const [reason = '', , , text = ''] of REPLIES) {
      const about = ['no-such-mailbox', 'no-such-domain', 'null-mx', 'mailbox-full', 'inactive', 'moved'].includes(
        reason,
      );
      expect({ text, recipient: judge({ text, ...repliesIn(text) }).fault === 'recipient' }).toEqual({
        text,
        recipient: about,
      });
    }
  });

  it('take what an address says for nothing', () => {
    expect(judge({ text: '550 5.1.1 <spam.quota.full@blocked.example>: User unknown', code: 550 }).reason).toBe(
      'no-such-mailbox',
    );
  });
});
