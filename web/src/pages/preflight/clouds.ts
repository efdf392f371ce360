/** What was found, put together for the eye: a cloud at a time, the worst of each matter. */
import type { Finding, Look, Verdict } from '@/api/preflight'

/** `labs`: the titles of those it is true of, where that is not all of them. */
export type Matter = Finding & { labs: string[]; look: Look }
export type Cloud = { name: string; title: string; look: Look; matters: Matter[] }

const WORSE: Readonly<Record<Verdict, number>> = { ok: 0, warn: 1, missing: 2 }
const TITLES: Readonly<Record<string, string>> = { digitalocean: 'DigitalOcean', linode: 'Linode' }

/** "digitalocean-ams3" is DigitalOcean too. */
export function titleOf(provider: string): string {
  const [cloud = '', region] = provider.split('-')
  const title = TITLES[cloud] ?? cloud
  return region ? `${title} ${provider.slice(cloud.length + 1)}` : title
}

export function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce<Verdict>((bad, one) => (WORSE[one] > WORSE[bad] ? one : bad), 'ok')
}

const bad = ({ findings }: Look) => findings.filter(({ verdict }) => verdict !== 'ok').length

/** The look that the pictures of a cloud show: the one with most to do, else the dearest. */
function telling(first: Look, others: readonly Look[]): Look {
  const cost = (look: Look) => look.figures?.cost_micros ?? 0
  return others.reduce(
    (best, one) => ((bad(one) - bad(best) || cost(one) - cost(best)) > 0 ? one : best), first)
}

const dearest = (a: { look: Look }, b: { look: Look }) =>
  (b.look.figures?.cost_micros ?? 0) - (a.look.figures?.cost_micros ?? 0)

function matters(looks: readonly Look[]): Matter[] {
  const names = [...new Set(looks.flatMap(({ findings }) => findings.map(({ name }) => name)))]
  return names.flatMap((name) => {
    const all = looks.flatMap((look) =>
      look.findings.filter((one) => one.name === name).map((one) => ({ ...one, look })))
    const verdict = worst(all.map((one) => one.verdict))
    const same = all.filter((one) => one.verdict === verdict).sort(dearest)
    const labs = same.length < all.length ? same.map(({ look }) => look.title) : []
    return same.slice(0, 1).map((one) => ({ ...one, labs }))
  })
}

export function cloudsOf(looks: readonly Look[]): Cloud[] {
  const names = [...new Set(looks.map(({ provider }) => provider))]
  return names.flatMap((name) => {
    const here = looks.filter(({ provider }) => provider === name)
    const [first, ...others] = here
    if (!first) return []
    return { name, title: titleOf(name), look: telling(first, others), matters: matters(here) }
  })
}

export const toDo = (clouds: readonly Cloud[]) =>
  clouds.flatMap((cloud) => cloud.matters.filter(({ verdict }) => verdict !== 'ok'))
