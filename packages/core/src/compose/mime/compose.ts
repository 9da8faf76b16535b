import type { Content } from '../../message.ts';
import { createHeading, type Heading } from './heading.ts';
import type { Attachments, MailParts, WrittenMail } from './parts.ts';
import { composeRich } from './rich.ts';
import { createSkeleton, type Skeleton } from './skeleton.ts';

/** Writes mails. Line ends are CRLF throughout. */
export type ComposeMime = (parts: MailParts) => Promise<WrittenMail>;

/** What is kept of a content. */
interface Kept {
  readonly heading: Heading;
  /** Undefined where the content is richer than a skeleton can be. */
  readonly skeleton: Skeleton | undefined;
}

/** Campaigns that run at once are few; invoices come once each, and may be large. */
const MAX_KEPT = 100;
const MAX_KEPT_BYTES = 32 * 1024 * 1024;

/** Mails of a content that was seen before are written into its skeleton; the parts of richer ones are written by nodemailer's MailComposer. */
export function createComposeMime(attachments: Attachments): ComposeMime {
  const kept = new Map<Content, Kept>();
  let keptBytes = 0;

  async function keptOf(content: Content): Promise<Kept> {
    // The store hands out one object per content, so that it can be the key.
    const known = kept.get(content);
    if (known !== undefined) return known;
    const skeleton = await createSkeleton(content, attachments);
    const made = { heading: createHeading(content), skeleton };
    if (kept.size >= MAX_KEPT || keptBytes > MAX_KEPT_BYTES) {
      kept.clear();
      keptBytes = 0;
    }
    kept.set(content, made);
    keptBytes += skeleton?.bytes ?? 0;
    return made;
  }

  return async (parts) => {
    const { heading, skeleton } = await keptOf(parts.content);
    const head = heading(parts);
    return skeleton === undefined ? composeRich(head, parts, attachments) : skeleton.fill(head, parts);
  };
}
