/** Something that the command was given does not work, in words for who gave it. */
export class CommandError extends Error {}
