import type { Stream } from '../../message.ts';
import type { AcceptInput } from '../port.ts';
import { sha256 } from './content-hash.ts';
import type { Database } from './database.ts';
import { type Ledger, type MessageFacts, STREAMS } from './ledger.ts';
import { createRecent } from './recent.ts';
import type { Tables } from './tables.ts';

const CACHED = 2000;

/** Writes messages, and their content once for all that share it. Inside of `write`. */
export function createMessages(
  db: Database,
  ledger: Ledger,
): {
  /** @param id - @default a new one */
  insert(input: Omit<AcceptInput, 'recipients'>, id?: number): MessageFacts;
  /** Number of the lane of a route and a stream. */
  laneOf(route: string, stream: Stream, now: number): number;
} {
  const hasContent = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('content').select('id').where('id', '=', id),
  );
  const insertContent = db.prepare((query, { json }: { json: string }) => query.insertInto('content').values({ json }));
  const findLane = db.prepare((query, { route, stream }: { route: string; stream: number }) =>
    query
      .selectFrom('lane')
      .select('id')
      .where('route', '=', route)
      .where('site', '=', '')
      .where('stream', '=', stream),
  );
  const insertLane = db.prepare((query, p: { route: string; stream: number; now: number }) =>
    query.insertInto('lane').values({ route: p.route, stream: p.stream, known_at: p.now }),
  );
  const findCampaign = db.prepare((query, { name }: { name: string }) =>
    query.selectFrom('campaign').select('id').where('name', '=', name),
  );
  const insertCampaign = db.prepare((query, { name }: { name: string }) =>
    query.insertInto('campaign').values({ name }),
  );
  const insertMessageRow = db.prepare((query, p: Tables['message']) =>
    query.insertInto('message').values({
      id: p.id,
      content_id: p.content_id,
      campaign_id: p.campaign_id,
      lane_id: p.lane_id,
      send_at: p.send_at,
      created_at: p.created_at,
      extra: p.extra,
    }),
  );
  // By hash. An index of all that was ever written would cost each mail with its own text a page of the disk, and would find
  // nothing for it; what a template or a loop sends again is sent again soon.
  const contents = createRecent<string, number>(CACHED);
  // Rows of these never go, and never change.
  const lanes = new Map<string, number>();
  db.onRollback(() => {
    contents.clear();
    lanes.clear();
  });

  function laneOf(route: string, stream: Stream, now: number): number {
    const key = `${stream} ${route}`;
    const known = lanes.get(key);
    if (known !== undefined) return known;
    const lane = { route, stream: STREAMS.indexOf(stream) };
    const id = findLane.get(lane)?.id ?? insertLane.insert({ ...lane, now });
    if (lanes.size >= CACHED) lanes.clear();
    lanes.set(key, id);
    return id;
  }

  function contentOf(content: AcceptInput['content']): { id: number; value: AcceptInput['content']; length: number } {
    const json = JSON.stringify(content);
    const hash = sha256(json);
    const known = contents.get(hash);
    if (known !== undefined && hasContent.get({ id: known }) !== undefined)
      return { id: known, value: content, length: json.length };
    const id = insertContent.insert({ json });
    contents.set(hash, id);
    return { id, value: content, length: json.length };
  }

  function insertMessage(input: Omit<AcceptInput, 'recipients'>, given?: number): MessageFacts {
    const { campaign, tags, metadata, route, sendAt, now } = input;
    const { stream } = input.content;
    const content = contentOf(input.content);
    const laneId = laneOf(route, stream, now);
    const campaignId =
      campaign === undefined
        ? undefined
        : (findCampaign.get({ name: campaign })?.id ?? insertCampaign.insert({ name: campaign }));
    const id = given ?? db.nextId(now);
    insertMessageRow.run({
      id,
      content_id: content.id,
      campaign_id: campaignId ?? null,
      lane_id: laneId,
      send_at: sendAt ?? null,
      created_at: now,
      extra: tags.length === 0 && metadata === undefined ? null : JSON.stringify({ tags, metadata }),
    });
    const facts = { id, stream, campaignId, campaign, laneId, route, sendAt, createdAt: now, tags, metadata };
    return ledger.remember(facts, content);
  }

  return { insert: insertMessage, laneOf };
}
