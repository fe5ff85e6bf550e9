/** What to do about Mailtrap's refusals, where its answers leave a question open. */
export const ADVICE: Readonly<Record<string, string>> = {
  unknown_field:
    'Mailtrap has no field with the merge tag {field}. Run `rollcall apply`, which makes fields that are missing, or create it under Contacts, Fields.',
  invalid_field:
    'Mailtrap does not take this value for {field}. Compare the type of the field under Contacts, Fields with that of the attribute, and correct the value or map it with another type.',
  http_404:
    'Mailtrap cannot find an address with such characters in its path. Correct the address where it comes from.',
};
