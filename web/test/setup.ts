import { speak } from '@/i18n'

if ('document' in globalThis) await speak('en')
