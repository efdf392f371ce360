import type { Message } from '../index'

export default {
  'device.menu': 'Continue on another device',
  'device.title': 'Continue on another device',
  'device.lead': 'Open this address there. It signs you in once, as yourself; do not share it.',
  'device.left': 'Works for another {time}',

  'class.state.open': 'Open',
  'class.state.upcoming': 'Upcoming',
  'class.state.closed': 'Closed',
  'class.morning': 'Good morning, {name}',
  'class.afternoon': 'Good afternoon, {name}',
  'class.evening': 'Good evening, {name}',
  'class.lead.running': {
    one: 'One lab is running. Pick up where you left off.',
    other: '{count} labs are running. Pick up where you left off.',
  },
  'class.lead.open': 'Choose a lab and press Play. You get a machine of your own.',
  'class.lead.closed': 'This class is over. You can still read the guides.',
  'class.lead.upcoming': 'This class has not begun. You can read ahead.',
  'class.labs': 'Labs',
  'class.hands_on': 'Hands-on',
  'class.no_labs': 'This class has no labs yet.',
  'class.trainer': 'Your teacher',
  'class.teaches': 'teaches {title}',
  'class.open_now': 'Open now',
  'class.closed': 'Class closed',
  'class.opens_at': 'Opens {when}',
  'class.closes_at': 'Open until {when}',

  'hero.next': 'Up next',
  'hero.running.more': '· pick up where you left off',
  'hero.resume': 'Resume lab',
  'hero.lab': 'Lab {number} · {time}',
} satisfies Record<string, Message>
