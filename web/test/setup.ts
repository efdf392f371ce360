import { need, speak } from '@/i18n'

if ('document' in globalThis) {
  await speak('en')
  await need('join', 'class', 'lab', 'bench', 'ending', 'files', 'trainer', 'teaching')
}
