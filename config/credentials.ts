/**
 * Does a text carry a secret, as far as URLs go? Whatever starts a run stays in Temporal's history, so plans are judged before
 * they leave an application, and again where they are resolved. Pure.
 */

/** What is read as a secret when it stands in the query of a URL. */
const secretParameter = /token|secret|passw|signature|credential|api-?key|access-?key/i;

/** A user or password in a URL, or in a URL within its query (the endpoint of a store), or a parameter that holds a secret. */
export function carriesCredentials(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password, searchParams } = new URL(text);
  if (username !== '' || password !== '') return true;
  return [...searchParams].some(([name, value]) => secretParameter.test(name) || carriesCredentials(value));
}
