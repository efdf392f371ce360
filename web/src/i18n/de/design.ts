import type en from '../en/design'
import type { Said } from '../index'

export default {
  'design.title': 'Designsystem',
} satisfies Said<typeof en>
