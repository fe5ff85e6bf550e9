/**
 * Conditions of errors that say nothing about a row or a table, for `when` in PL/pgSQL: what failed is tried again as a whole. Before
 * `when others`, and with a bare `raise`.
 */
export const PASSING: string = `connection_exception or transaction_rollback or insufficient_resources or object_not_in_prerequisite_state
    or operator_intervention or system_error`;
