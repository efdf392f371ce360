/** What the server says in sentences, in another language. */
export type Hear = (text: string) => string

const quoted = (text: string) => text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')

/**
 * `table`: sentences as the server's code has them, `{}` for what it fills in; in the other
 * language that is `{0}`, `{1}`, in any order. What nobody translated stays as it came.
 */
export function hearing(table: Record<string, string>): Hear {
  const known = new Map(Object.entries(table))
  // The longest first: "There is no lab called {}." before "There is no {}.".
  const filled = Object.entries(table)
    .filter(([said]) => said.includes('{}'))
    .sort(([one], [other]) => other.length - one.length)
    .map(([said, mine]) => ({
      form: new RegExp(`^${said.split('{}').map(quoted).join('(.+?)')}$`, 's'),
      mine,
    }))
  return function hear(text: string): string {
    const whole = known.get(text)
    if (whole !== undefined) return whole
    for (const { form, mine } of filled) {
      const found = form.exec(text)?.slice(1)
      if (found) return mine.replace(/\{(\d)\}/g, (_, at: string) => hear(found[Number(at)] ?? ''))
    }
    return text
  }
}
