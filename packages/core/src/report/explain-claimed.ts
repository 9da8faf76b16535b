import type { InHand } from '../queue/port.ts';
import { downBounds, placesOf, ruleBounds } from './explain-bounds.ts';
import type { ExplainFacts } from './explain-facts.ts';
import type { ExplainedReason } from './port.ts';

/** Why a claimed delivery is where it is: it goes out, or waits in the memory of a process for a place. */
export function claimedReasons(facts: ExplainFacts): ExplainedReason[] {
  const { delivery, inHand, now } = facts;
  const { route } = delivery;
  // Another process has it, or its result is about to be written.
  if (inHand === undefined)
    return [{ kind: 'sending', text: `it is being sent by ${route}, or about to be`, until: undefined }];
  const since = new Date(inHand.since).toISOString();
  if (inHand.stage === 'sending')
    return [{ kind: 'sending', text: `it is being sent by ${route}, since ${since}`, until: undefined }];
  const place = placeOf(facts, inHand, since);
  return [...downBounds(facts), ...ruleBounds(facts), { ...place, until: new Date(now) }];
}

/** The place that it waits for. The rates were asked as it was claimed. */
function placeOf(
  { delivery, places, limits }: ExplainFacts,
  { stage }: InHand,
  since: string,
): Pick<ExplainedReason, 'kind' | 'text'> {
  const { route, site } = delivery;
  if (stage === 'site') {
    const text = `it waits since ${since} for others to ${site ?? 'its site'}, which takes ${placesOf(limits)} at once`;
    return { kind: 'site', text };
  }
  const { mails = 1, connections } = places ?? {};
  if (stage === 'route') {
    const text = `it waits since ${since} for others of the route ${route}, which has ${mails} on their way at once`;
    return { kind: 'route-busy', text };
  }
  if (connections === undefined) return { kind: 'sending', text: `it is composed for ${route}, since ${since}` };
  const which = connections === 1 ? 'the connection' : `one of the ${connections} connections`;
  const to = site === undefined ? '' : ` to ${site}, which takes ${placesOf(limits)} at once`;
  const text = `it is composed, or waits for ${which} of the route ${route}${to}, since ${since}`;
  return { kind: 'route-busy', text };
}
