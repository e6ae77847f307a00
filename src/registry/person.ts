import type { Policy } from './policy.js';

/** The mail address of `Name <mail>`, in lower case: by it people are told apart. The whole text where there is none. */
export function mailOf(person: string): string {
  const match = /<([^<>]*)>\s*$/.exec(person);
  return (match?.[1] ?? person).trim().toLowerCase();
}

/** Whether two `Name <mail>` are the same person. */
export function isSamePerson(one: string, other: string): boolean {
  return mailOf(one) === mailOf(other);
}

/** Whether a person has one of the roles; anyone does where no roles are asked for. */
export function hasRole(policy: Policy, roles: readonly string[] | undefined, person: string): boolean {
  if (roles === undefined) return true;
  const mail = mailOf(person);
  return roles.some((role) =>
    (Object.hasOwn(policy.roles, role) ? policy.roles[role] : undefined)?.some((each) => mailOf(each) === mail),
  );
}
