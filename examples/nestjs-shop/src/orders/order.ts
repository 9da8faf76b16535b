export interface Item {
  readonly title: string;
  /** In cents, so that sums are right. */
  readonly price: number;
}

export interface Order {
  readonly number: number;
  readonly name: string;
  readonly items: readonly Item[];
  readonly total: number;
}

export function euros(cents: number): string {
  return `${(cents / 100).toFixed(2)} EUR`;
}
