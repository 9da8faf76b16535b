/** Why a mail came back, out of what servers say: rules as data, of which the first that fits decides. */
export { faultOf, isBadAddress, isClearStatus, type Judged, judge, WORD_RULES } from './judge.ts';
