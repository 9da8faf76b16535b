/** What tests of an application need. */
export { type Captured, readCaptured } from '../deliver/capture.ts';
