import type { HttpContext } from '../context.ts';
import { type Route, route } from '../route.ts';
import { clearInbox } from './clear.ts';
import { guarded } from './guard.ts';
import { listPage, redirectToList } from './list.ts';
import { messagePage } from './message.ts';
import { attachment, htmlBody, source } from './parts.ts';

const ROUTES: readonly Route<HttpContext>[] = [
  route('GET', '', (_context, incoming) => redirectToList(incoming)),
  route('GET', '/', (context, incoming) => listPage(context, incoming)),
  route('POST', '/inbox/clear', (context, incoming) => clearInbox(context, incoming)),
  route('GET', '/inbox/:id', (context, incoming, { id }) => messagePage(context, incoming, id)),
  route('GET', '/inbox/:id/html', (context, _incoming, { id }) => htmlBody(context, id)),
  route('GET', '/inbox/:id/source', (context, _incoming, { id }) => source(context, id)),
  route('GET', '/inbox/:id/attachments/:index', (context, _incoming, { id, index }) => attachment(context, id, index)),
];

/** The development inbox: captured mail, newest first. */
export const inboxRoutes: readonly Route<HttpContext>[] = ROUTES.map(guarded);
