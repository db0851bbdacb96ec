/**
 * Whether a URI may come from a template of RFC 6570. Only what stands between the expressions is compared: it serves
 * to find whom to ask, and who is asked decides.
 */
export function inTemplate(uri: string, template: unknown): boolean {
  if (typeof template !== 'string') return false
  const literals = template.split(/\{[^}]*\}/)
  let at = 0
  for (const [n, literal] of literals.entries()) {
    const found = n === 0 ? (uri.startsWith(literal) ? 0 : -1) : uri.indexOf(literal, at)
    if (found < 0) return false
    at = found + literal.length
  }
  return literals.length > 1 && (literals.at(-1) === '' || uri.endsWith(literals.at(-1)!))
}
