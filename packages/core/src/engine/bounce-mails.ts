import type { Clock } from '../clock.ts';
import { parseBounceMail } from '../feedback/mail/parse.ts';
import type { MailFinding, MailReport } from '../feedback/mail/report.ts';
import type { FeedbackEvent } from '../feedback/port.ts';
import { encodeId } from '../message.ts';
import type { EngineApi } from '../thread/port.ts';
import type { Tokens } from '../token.ts';

/** Dates that reports may have: others say nothing. */
const LATEST_MS = 3_600_000;
const OLDEST_MS = 30 * 86_400_000;

/** Mails that came back, on their way into the store. */
export function createBounceMails(context: {
  readonly clock: Pick<Clock, 'now'>;
  readonly tokens: Pick<Tokens, 'readBounce' | 'readUnsubscribe'>;
  readonly receive: EngineApi['receive'];
}): Pick<EngineApi, 'receiveMail'> {
  const { clock, tokens, receive } = context;

  /** The delivery that a signed token names, and its recipient, where the token has it. */
  function claimOf({ returned }: MailReport): Claim | undefined {
    for (const token of returned.bounceTokens) {
      const deliveryId = tokens.readBounce(token);
      if (deliveryId !== undefined) return { id: encodeId('dlv', deliveryId) };
    }
    for (const token of returned.linkTokens) {
      const claim = tokens.readUnsubscribe(token);
      if (claim !== undefined) return { id: encodeId('dlv', claim.deliveryId), address: claim.address };
    }
    return undefined;
  }

  return {
    async receiveMail(raw) {
      const report = parseBounceMail(raw);
      const claim = claimOf(report);
      const now = clock.now();
      const { date = now } = report;
      const at = date > now + LATEST_MS || date < now - OLDEST_MS ? now : date;
      const events = report.findings.map((finding) => eventOf(finding, report, claim, at));
      const received = events.length === 0 ? [] : await receive(events);
      return {
        kind: report.kind,
        feedback: events.map((event, index) => ({ ...event, ...(received[index] ?? { outcome: 'unmatched' }) })),
      };
    },
  };
}

interface Claim {
  readonly id: string;
  readonly address?: string;
}

function eventOf(finding: MailFinding, report: MailReport, claim: Claim | undefined, at: number): FeedbackEvent {
  const { type, judged, status, code, diagnostic, raw, originalRecipient } = finding;
  const recipient = finding.recipient ?? claim?.address;
  const isClaimed =
    report.findings.length === 1 ||
    [recipient, originalRecipient].some((one) => one !== undefined && isOf(one, claim?.address, report.returned.to));
  return {
    id: `${report.name} ${type} ${recipient?.toLowerCase() ?? ''}`,
    type,
    at,
    source: report.kind,
    deliveryId: isClaimed ? claim?.id : undefined,
    unsignedId: report.returned.deliveryId,
    messageId: report.returned.messageId,
    recipient,
    originalRecipient: originalRecipient === recipient ? undefined : originalRecipient,
    ...(type === 'bounced' || type === 'deferred'
      ? {
          reason: judged?.reason ?? 'other',
          kind: type === 'bounced' ? (judged?.kind ?? 'soft') : 'soft',
          fault: judged?.fault,
        }
      : {}),
    status,
    code,
    diagnostic: diagnostic?.slice(0, 1000),
    reportingMta: report.reportingMta?.slice(0, 255),
    raw: raw?.slice(0, 8000),
  };
}

/** Of several recipients in one report, the token is that of the one the mail was written to. */
function isOf(recipient: string, address: string | undefined, to: readonly string[]): boolean {
  const own = recipient.toLowerCase();
  return address === undefined ? to.some((one) => one.toLowerCase() === own) : address.toLowerCase() === own;
}
