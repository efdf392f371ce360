import { need } from '@/i18n'

/** Fetch the lab page while the finger is still on its way; if it fails, the press will tell. */
export function warm(): void {
  const parts = [import('@/pages/LabPage.vue'), import('@/terminal/line')]
  for (const part of [...parts, need('lab', 'bench')]) part.catch(() => undefined)
}
