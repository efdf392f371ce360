import type { Message } from '../index'

export default {
  'design.title': 'Design system',
} satisfies Record<string, Message>
