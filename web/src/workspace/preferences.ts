/** How this person wants their terminal; kept in this browser. */
import { readonly, ref } from 'vue'
import { keep } from '@/keep'

const FONT = 'brihaspati.terminal.font'
const READER = 'brihaspati.terminal.reader'
const LEAST = 11
const MOST = 24

const usual = window.matchMedia('(max-width: 639px)').matches ? 13 : 15
const size = ref(Number(keep()?.getItem(FONT)) || usual)
const reader = ref(keep()?.getItem(READER) === 'on')
export const fontSize = readonly(size)
export const screenReader = readonly(reader)

export function changeFontSize(by: number): void {
  size.value = Math.min(MOST, Math.max(LEAST, size.value + by))
  keep()?.setItem(FONT, String(size.value))
}
export function setScreenReader(on: boolean): void {
  reader.value = on
  keep()?.setItem(READER, on ? 'on' : 'off')
}
