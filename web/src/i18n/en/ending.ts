import type { Message } from '../message'

/** Of what comes at the end of a lab or of its guide, and is loaded then. */
export default {
  'finish.title': 'You made it!',
  'finish.title.open': 'The end of the guide',
  'finish.lead': '“{title}” is done, every step of it.',
  'finish.lead.open': 'Some steps are still open. You can go back to them at any time.',
  'finish.figures': 'How it went',
  'finish.of': '{done}/{of}',
  'finish.steps': 'steps passed',
  'finish.hints': { one: 'hint used', other: 'hints used' },
  'finish.solved': 'done for you',
  'finish.open': 'Still open',
  'finish.class': 'Back to the class',
  'finish.running': 'Your machine still runs. Stop it when you are done looking around.',
  'expiry.left': '{time} left',
  'expiry.extend': 'Then the lab and its files are deleted. Need longer?',
  'expiry.last': 'Then the lab and its files are deleted. Copy out what you want to keep.',
  'expiry.idle': 'Nobody has typed for a while. Then the lab and its files are deleted.',
  'expiry.here': 'I am here',
} satisfies Record<string, Message>
