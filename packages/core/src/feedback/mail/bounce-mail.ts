import { type Judged, judge } from '../../reasons/port.ts';
import { isFromDaemon, isFromOffice } from './auto-reply.ts';
import { shorten, withoutBoilerplate } from './boilerplate.ts';
import { failuresOf, hasFailedHeader, repliesIn, saidIn } from './bounce-text.ts';
import type { Contents } from './contents.ts';
import { first, shown } from './mime.ts';
import type { MailFinding, Said } from './report.ts';
import { DELAYED, FAILED_SUBJECT, FAILED_TEXT, isDelay, OF_MAIL, OF_PARCELS } from './signs.ts';

/** Whether a mail reports in words that a mail could not be delivered, or not yet. */
export function isBounce(contents: Contents): boolean {
  const { headers, text } = contents;
  if (hasFailedHeader(headers)) return true;
  const subject = shown(headers, 'subject');
  const start = saidIn(text).slice(0, 6000);
  const daemon = isFromDaemon(headers) || /^\s*<\s*>/.test(first(headers, 'return-path') ?? '');
  const bySubject = FAILED_SUBJECT.test(subject);
  const byText = FAILED_TEXT.test(start);
  const delayed = DELAYED.test(subject) || DELAYED.test(start);
  // An answer to somebody's mail may speak of failures as well.
  const answers = headers.has('in-reply-to') || headers.has('references') || /^[ \t]*>/m.test(start);
  if (
    /^\s*(?:re|aw|sv|antw)\s*:/i.test(subject) &&
    !isFromDaemon(headers) &&
    (answers || !FAILED_TEXT.test(start.slice(0, 300)))
  )
    return false;
  if (daemon && isFromOffice(headers)) return (bySubject || delayed) && byText;
  if (daemon && bySubject && !byText && /quarantine|digest|summary|spam report/i.test(subject)) return false;
  if (daemon)
    return bySubject || byText || delayed || (isFromDaemon(headers) && judge({ text: start }).kind === 'hard');
  if (!(bySubject || delayed) || !byText) return false;
  if (contents.returned !== undefined) return true;
  // Newsletters speak of failures, and those who want passwords say that mails wait: they bring nothing back, and name nobody.
  if (headers.has('list-unsubscribe') || failuresOf(contents)[0]?.recipient === undefined) return false;
  if (!OF_MAIL.test(start.replace(/\S{1,128}@\S{1,256}/g, ' ')) || OF_PARCELS.test(start)) return false;
  return (
    repliesIn(start).status !== undefined ||
    repliesIn(start).code !== undefined ||
    /undeliver|non-?deliver|returned mail|delivery (?:status|fail)|failure notice|not deliver/i.test(subject)
  );
}

/** What such a mail says about each recipient. */
export function bounce(contents: Contents): Said {
  const subject = shown(contents.headers, 'subject');
  const said = saidIn(contents.text);
  const delayed = isDelay(subject, said);
  const all = repliesIn(said);
  let whole: readonly Judged[] | undefined;
  const byWhole = (): Judged | undefined => {
    // "Undeliverable: …" goes on with the subject of what comes back.
    const own = /^\s*(?:undeliver|non-?deliver|unzustellbar|non remis|no se puede entregar)[^:]{0,30}:/i.test(subject)
      ? ''
      : subject;
    const texts = [withoutBoilerplate(said), replyLines(contents.text.slice(said.length)), own];
    whole ??= texts.map((text) => judge({ text, ...all }));
    return whole.find(({ rule }) => rule !== 'nothing');
  };
  const findings = failuresOf(contents).map(({ recipient, text }): MailFinding => {
    const own = repliesIn(text);
    const { status, code } = own.status === undefined && own.code === undefined ? all : own;
    // What is said about the recipient says most; then the whole report, and replies that stand behind the returned mail.
    const byReply = replyIn(text) === undefined ? undefined : judge({ text: replyIn(text) ?? '', status, code });
    const isClear = byReply !== undefined && !['nothing', 'status', 'policy', 'system'].includes(byReply.rule);
    const byOwn = isClear ? byReply : judge({ text: withoutBoilerplate(text), status, code });
    const judged = byOwn.rule === 'nothing' ? (byWhole() ?? byOwn) : byOwn;
    const type = delayed ? 'deferred' : 'bounced';
    return {
      type,
      recipient,
      judged,
      status,
      code,
      diagnostic: shorten(text) || subject || undefined,
      raw: text.slice(0, 8000),
    };
  });
  return { kind: 'bounce-mail', findings };
}

/** The reply of a server within what is said, and what follows it: what stands before is said to everybody. */
function replyIn(text: string): string | undefined {
  const found = /(?<![\d.,#:/-])[45][0-5]\d[ -](?=[^\s\d]|\d\.\d)/.exec(text);
  return found === null ? undefined : text.slice(found.index, found.index + 1500);
}

/** Lines that read like replies of servers. */
function replyLines(text: string): string {
  return text
    .slice(0, 20_000)
    .split('\n')
    .filter((line) => /^\W{0,5}[45]\d\d[ -]|#[45]\.\d\.\d/.test(line))
    .join(' ');
}
