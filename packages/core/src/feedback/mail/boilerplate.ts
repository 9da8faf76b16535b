/** What servers say to everybody says nothing about this mail. */
export function withoutBoilerplate(said: string): string {
  return said
    .replace(
      /^[ \t>]*(?:subject|sent|date|betreff|gesendet|objet|envoyé|asunto|enviado|oggetto|inviato|assunto|onderwerp|verzonden|тема|件名)[ \t]*:[^\n]*/gim,
      ' ',
    )
    .replace(/(?:e-?mail|message|mail)[^\n.]{0,60}(?:been )?scanned[^\n]*/gi, ' ')
    .replace(/^_{4,}[^\n]*(?:\n[^\n]{0,200}){0,3}(?:anti-?virus|scan|nod32|avast)[^\n]*/gim, ' ')
    .replace(
      /^[^\n]{0,200}\b(?:confidential|privileged|intended (?:solely|only|recipient))[^\n]*(?:\n[^\n]{1,200}){0,8}/gim,
      ' ',
    )
    .replace(/for (?:further|more) (?:assistance|information|help|details)[^\n]{0,200}(?:\n[^\n]{1,200}){0,4}/gi, ' ')
    .replace(/if you do so, please[^\n]*(?:\n[^\n]{1,200}){0,3}/gi, ' ')
    .replace(/i'm sorry to have to inform you[^\n]*(?:\n[^\n]{1,200}){0,2}/gi, ' ')
    .replace(/this (?:message was created automatically|is an automatically generated)[^\n]*/gi, ' ')
    .replace(/do not reply[^\n]*|technical details of[^\n]*|delivery (?:to the following|has failed to)[^\n]*/gi, ' ')
    .replace(
      /(?:a )?message that you (?:have )?sent\s+(?:could not be|has not yet been)\s+delivered\s+to\s+(?:one or more|all|some)\s+of\s+its\s+recipients[^\n]*/gi,
      ' ',
    );
}

/** The first lines that say something. */
export function shorten(said: string): string {
  return withoutBoilerplate(said).replace(/\s+/g, ' ').trim().slice(0, 1000);
}
