/** A URL as it may be printed and stored: without its user name, password, query and fragment, since each of them may be or
 *  hold a secret (`?X-Amz-Signature=…`, `?token=…`). Also takes what the user gave in place of a URL. */
export function shownUrl(url: string): string {
  if (!isHttp(url)) return url.replace(/^(\s*[a-z][a-z\d+.-]*:\/\/)?.*@/is, '$1').replace(/[?#].*$/s, '?…');
  const address = new URL(url);
  const isHidden = address.search !== '' || address.hash !== '';
  if (!isHidden && address.username === '' && address.password === '') return url;
  [address.username, address.password, address.search, address.hash] = ['', '', '', ''];
  return isHidden ? `${address.href}?…` : address.href;
}

/** Whether a text is a valid URL that begins with http:// or https://. */
export function isHttp(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

/** The header `Authorization` for the user name and password in a URL; undefined if it has none.
 *  Source: RFC 7617, with UTF-8. */
export function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const credentials = [username, password].map(decoded).join(':');
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/** Undoes percent-encoding. A stray % stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
