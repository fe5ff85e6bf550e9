/** An address that tells its owner to whoever knows them, and little to others: `a***@example.com`. */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf('@');
  const [first = ''] = address;
  return at < 1 ? `${first}***` : `${first}***${address.slice(at)}`;
}
