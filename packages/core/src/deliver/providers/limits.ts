import type { RouteDemands } from '../../compose/port.ts';
import { MailRelayError } from '../../errors.ts';
import type { HeaderField } from '../../message.ts';
import type { RouteSpec } from '../port.ts';
import type { Labels, Provider } from './provider.ts';
import { providerOf } from './table.ts';
import { unfolded, written } from './writing.ts';

/** Longest part of a header that no line may end in: with what stands before it, it is below 998 octets (RFC 5322 section 2.1.1). */
const MAX_PART = 900;

const NONE: RouteDemands = { head: '', maxBytes: undefined };

/** What a route adds to a mail, and asks of it. */
export function demandsOf(route: RouteSpec, labels: Labels): RouteDemands {
  const provider = providerOf(route);
  if (provider === undefined || route.kind !== 'smtp' || route.provider === undefined) return NONE;
  return {
    head: written(provider.headers(labels, route.provider)),
    maxBytes: provider.limits.maxBytes,
    rewritten: provider.rewrites,
    linkMark: provider.linkMark,
  };
}

/**
 * Makes sure that a provider takes what it is told of a mail.
 *
 * @param own - header fields of the mail that the host wrote
 * @throws MailRelayError `MESSAGE_INVALID`, or `HEADER_INVALID` for a header that the route writes
 */
export function checkLabels(route: RouteSpec, labels: Labels, own: readonly HeaderField[]): void {
  const problem = labelsProblem(route, labels, own);
  if (problem !== undefined) throw problem;
}

/** Largest mail that the provider behind a route takes, bytes; undefined where there is none. */
export function mostBytesOf(route: RouteSpec): number | undefined {
  return providerOf(route)?.limits.maxBytes;
}

/** What {@link checkLabels} throws; undefined where the provider takes all of it. */
export function labelsProblem(
  route: RouteSpec,
  labels: Labels,
  own: readonly HeaderField[],
): MailRelayError | undefined {
  const provider = providerOf(route);
  if (provider === undefined || route.kind !== 'smtp' || route.provider === undefined) return undefined;
  for (const [name] of own) {
    if (provider.owns.includes(name.toLowerCase()))
      return new MailRelayError('HEADER_INVALID', {
        header: name,
        route: route.name,
        reason: `${name} is written by the route ${route.name}, which takes tags, campaign and tracking from their fields`,
      });
  }
  const problem = nameProblem(provider, labels) ?? headerProblem(provider.headers(labels, route.provider), provider);
  if (problem === undefined) return undefined;
  return new MailRelayError('MESSAGE_INVALID', {
    field: problem.field,
    route: route.name,
    reason: `${problem.says} (route ${route.name})`,
  });
}

interface LabelProblem {
  readonly field: string;
  readonly says: string;
}

function nameProblem({ title, limits, plain }: Provider, { tags, campaign }: Labels): LabelProblem | undefined {
  const { maxTags, maxName } = limits;
  if (tags.length > maxTags)
    return { field: 'tags', says: `there are ${tags.length} tags, and ${title} takes ${maxTags}` };
  const long = (name: string): boolean => Math.max(name.length, plain(name).length) > maxName;
  if (tags.some(long))
    return { field: 'tags', says: `a tag has more than ${maxName} characters, which ${title} takes` };
  if (campaign !== undefined && long(campaign))
    return { field: 'campaign', says: `campaign has more than ${maxName} characters, which ${title} takes` };
  return undefined;
}

function headerProblem(fields: readonly HeaderField[], { title, limits }: Provider): LabelProblem | undefined {
  for (const [name, value] of fields) {
    const { length } = unfolded(value);
    if (length > limits.maxHeader)
      return {
        field: 'tags',
        says: `tags and campaign make ${length} characters of ${name}, and ${title} takes ${limits.maxHeader}`,
      };
    if (value.split('\n').some((part) => part.length > MAX_PART))
      return {
        field: 'campaign',
        says: `a name is too long to stand on a line of ${name}, with its other letters escaped`,
      };
  }
  return undefined;
}
