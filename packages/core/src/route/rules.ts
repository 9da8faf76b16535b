import { domainToASCII } from 'node:url';
import type { RouteRules } from './port.ts';

/** What rules look at. */
export interface RoutedMail {
  readonly stream: string;
  readonly senderDomain: string;
  readonly campaign: string | undefined;
  readonly tags: readonly string[];
}

/** Whether a mail fits, and whether a recipient domain does. */
export interface Fitting {
  /** Whether some recipient may fit. */
  mail(mail: RoutedMail): boolean;
  /**
   * Asked where {@link mail} said yes.
   *
   * @param site - of the domain: empty where it takes no mail, undefined where that is not known
   * @returns undefined where the site decides, and is not known
   */
  recipient(mail: RoutedMail, domain: string, site?: string): boolean | undefined;
  /** Whether some rule names a site. */
  readonly bySite: boolean;
}

type Patterns = string | readonly string[] | undefined;

/** Prepares the rules of a route; undefined where it takes all mail. */
export function createFitting(takes: RouteRules | readonly RouteRules[] | undefined): Fitting | undefined {
  const sets = (takes === undefined ? [] : [takes].flat()).map(createSet);
  if (sets.length === 0) return undefined;
  return {
    mail: (mail) => sets.some((set) => set.mail(mail)),
    recipient(mail, domain, site) {
      const said = sets.filter((set) => set.mail(mail)).map((set) => set.recipient(domain, site));
      if (said.includes(true)) return true;
      return said.includes(undefined) ? undefined : false;
    },
    bySite: sets.some(({ bySite }) => bySite),
  };
}

function createSet({ stream, senderDomain, recipientDomain, site, tag, campaign }: RouteRules): {
  mail(mail: RoutedMail): boolean;
  recipient(domain: string, of: string | undefined): boolean | undefined;
  readonly bySite: boolean;
} {
  const streams = matcher(stream, exact);
  const senders = matcher(senderDomain, ascii);
  const recipients = matcher(recipientDomain, ascii);
  const sites = matcher(site, ascii);
  const tags = matcher(tag, exact);
  const campaigns = matcher(campaign, exact);
  return {
    mail: (mail) =>
      streams(mail.stream) &&
      senders(mail.senderDomain) &&
      (tag === undefined || mail.tags.some(tags)) &&
      (campaign === undefined || (mail.campaign !== undefined && campaigns(mail.campaign))),
    recipient(domain, of) {
      if (site === undefined || !recipients(domain)) return recipients(domain);
      return of === undefined ? undefined : of !== '' && sites(of);
    },
    bySite: site !== undefined,
  };
}

/** Whether a text is one of some patterns, in which `*` stands for any text; all fits where there are none. */
function matcher(patterns: Patterns, normal: (pattern: string) => string): (text: string) => boolean {
  if (patterns === undefined) return () => true;
  const expressions = [patterns].flat().map((pattern) => {
    const parts = normal(pattern)
      .split('*')
      .map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`, 's');
  });
  return (text) => expressions.some((expression) => expression.test(text));
}

function exact(pattern: string): string {
  return pattern;
}

/** Domains are compared as they are in checked addresses: in lower-case ASCII. */
function ascii(pattern: string): string {
  return pattern
    .toLowerCase()
    .split('.')
    .map((label) => (/^[\w*-]*$/.test(label) ? label : domainToASCII(label) || label))
    .join('.');
}
