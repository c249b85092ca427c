/** A page of a list: `next` is the cursor of the following page, null on the last one. */
export type Rows<Row> = { rows: Row[]; next: string | null };
