/** Four methods, as pino and console have them: fields first, then the message. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Logs to the console, one line each; nothing below `info`. All of it to stderr, as stdout is the application's. */
export const defaultLogger: Logger = {
  debug: () => {},
  info: (fields, message) => console.warn(line(fields, message)),
  warn: (fields, message) => console.warn(line(fields, message)),
  error: (fields, message) => console.error(line(fields, message)),
};

/** Whether a value can be used as a logger. */
export function isLogger(value: unknown): value is Logger {
  const levels = ['debug', 'info', 'warn', 'error'] as const;
  return (
    typeof value === 'object' &&
    value !== null &&
    levels.every((level) => typeof (value as Logger)[level] === 'function')
  );
}

function line(fields: object, message: string): string {
  const text = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? oneLine(value) : JSON.stringify(value)}`);
  return ['mail-relay:', message, ...text].join(' ');
}

/** Replies of servers and kinds of webhooks are written by others: with a line break one could write a line of the log. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (control) => {
    const short = JSON.stringify(control).slice(1, -1);
    return short.startsWith('\\') ? short : `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
