/** What one message is, for the files of words and for the code that says them. */
export type Plural = { one: string; other: string }
export type Message = string | Plural
/** What a translation must have: the same keys, and plurals where English has them. */
export type Said<T> = { [K in keyof T]: T[K] extends string ? string : Plural }
