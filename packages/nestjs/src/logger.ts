import type { Logger as RelayLogger } from '@mailrelay/core';
import { Logger } from '@nestjs/common';

/** The relay's log in Nest's: what `app.useLogger()` sets, under a context of its own. */
export function nestLogger(name?: string): RelayLogger {
  const logger = new Logger(name === undefined ? 'MailRelay' : `MailRelay:${name}`);
  return {
    debug: (fields, message) => logger.debug(line(fields, message)),
    info: (fields, message) => logger.log(line(fields, message)),
    warn: (fields, message) => logger.warn(line(fields, message)),
    error: (fields, message) => logger.error(line(fields, message), (fields as { stack?: string }).stack),
  };
}

function line(fields: object, message: string): string {
  const pairs = Object.entries(fields)
    .filter(([key, value]) => value !== undefined && key !== 'stack')
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [message, ...pairs].join(' ');
}
