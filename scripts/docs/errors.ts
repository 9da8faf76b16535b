import { ERRORS, type ErrorCode, statusOf } from '../../packages/core/src/errors.ts';

/** The page of all error codes. */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { message, retry }]) =>
      `| \`${code}\` | ${message} | ${retry ? 'yes' : 'no'} | ${statusOf(code as ErrorCode)} |`,
  );
  return `<!-- Generated from packages/core/src/errors.ts by scripts/docs.ts: change it there. -->

# Errors

There is one class, \`MailRelayError\`. Its \`code\` never changes meaning; its \`message\` may. \`retry\` says whether the same call
can succeed later without a change, \`details\` what it is about, and \`cause\` keeps what was below.
\`status\` is the HTTP status that fits, as Express's error handler reads it: a mistyped address answers 400.

\`send()\` throws before anything is stored or sent. What a receiving server says is no error but an event: see
[events](queue.md#what-happened).

\`\`\`ts
import { createMailRelay, isMailRelayError } from '@mailrelay/core';

const relay = createMailRelay({ from: 'hello@acme.example' });

try {
  await relay.send({ to: 'nobody@', subject: 'Hello', text: 'Hello' });
} catch (error) {
  if (!isMailRelayError(error)) throw error;
  console.log(error.code, error.retry, error.status); // ADDRESS_INVALID false 400
}
await relay.stop();
\`\`\`

In \`sendMany()\` a recipient that cannot be accepted does not stop the rest: it is reported with its index and its code.
\`RECIPIENT_DUPLICATE\`, an address that the list had before, comes only there.

| Code | Meaning | Can succeed later | HTTP status |
|---|---|---|---|
${rows.join('\n')}
`;
}
