/** A row of a table: a cell for each state, none more and none less. */
export type Columns<States extends readonly string[], Cell> = { readonly [Column in keyof States]: Cell };
