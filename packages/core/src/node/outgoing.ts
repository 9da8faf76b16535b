import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Answer } from '../http/port.ts';

/** Sends an answer that is all there. Headers that the host has set stay, where the answer has none of the same name. */
export function sendAnswer(res: ServerResponse, answer: Answer, method: string): void {
  if (res.destroyed || res.headersSent) return;
  res.statusCode = answer.status;
  for (const name in answer.headers) res.setHeader(name, answer.headers[name] as string);
  const { body } = answer;
  res.setHeader('Content-Length', typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength);
  if (method === 'HEAD' || body.length === 0) res.end();
  else res.end(body);
}

/** Sends a web-standard response, its body chunk by chunk as fast as the client takes it. */
export async function sendResponse(res: ServerResponse, response: Response, method: string): Promise<void> {
  if (res.destroyed || res.headersSent) return;
  res.statusCode = response.status;
  if (response.statusText !== '') res.statusMessage = response.statusText;
  // Keeps repeated Set-Cookie headers apart.
  res.setHeaders(response.headers);
  if (response.body === null || method === 'HEAD') {
    await response.body?.cancel();
    res.end();
    return;
  }
  try {
    await pipeline(Readable.fromWeb(response.body), res);
  } catch (error) {
    // The client went away; there is nobody to tell.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}
