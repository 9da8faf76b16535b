import type { Content } from '../../message.ts';
import type { Attachments, MailParts } from './parts.ts';
import { composeRich } from './rich.ts';
import { createSkeleton, type Skeleton } from './skeleton.ts';

/** Writes mails. Line ends are CRLF throughout. */
export type ComposeMime = (parts: MailParts) => Promise<Buffer>;

/** Campaigns that run at once are few; invoices come once each, and may be large. */
const MAX_KEPT = 100;
const MAX_KEPT_BYTES = 32 * 1024 * 1024;

/**
 * Mails of a content that was seen before are written into its skeleton; what a skeleton cannot hold goes through
 * nodemailer's MailComposer.
 *
 * @param options.boundary - unguessable text for a content, the same each time
 */
export function createComposeMime(options: {
  readonly attachments: Attachments;
  boundary(content: Content): string;
}): ComposeMime {
  const kept = new Map<Content, { readonly skeleton: Skeleton | undefined }>();
  let keptBytes = 0;

  async function skeletonOf(content: Content): Promise<Skeleton | undefined> {
    // The store hands out one object per content, so that it can be the key.
    const known = kept.get(content);
    if (known !== undefined) return known.skeleton;
    const skeleton = await createSkeleton(content, {
      attachments: options.attachments,
      boundary: options.boundary(content),
    });
    if (kept.size >= MAX_KEPT || keptBytes > MAX_KEPT_BYTES) {
      kept.clear();
      keptBytes = 0;
    }
    kept.set(content, { skeleton });
    keptBytes += skeleton?.bytes ?? 0;
    return skeleton;
  }

  return async (parts) => {
    const skeleton = await skeletonOf(parts.content);
    return skeleton?.fill(parts) ?? composeRich(parts, options.attachments);
  };
}
