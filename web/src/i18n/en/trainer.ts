import type { Message } from '../index'

export default {
  'board.class': 'Class page',
  'board.title': 'Class board',
  'board.live': 'Live',
  'board.since': '{time} in',
  'board.opens': 'Opens {when}',
  'board.closed': 'Closed {when}',
  'board.more': 'More',
  'board.show': 'Show the join code',
  'board.show.code': 'Join code {code}: show it large',
  'board.copy_link': 'Copy the join address',
  'board.csv': 'Save as a table (CSV)',
  'board.setup': 'Class settings and roster',
  'board.stale': {
    one: 'No answer from the service. This is {count} second old.',
    other: 'No answer from the service. This is {count} seconds old.',
  },
  'board.broadcast': 'Broadcast',
  'board.extend.all': 'Extend all',
  'board.extend.first': 'The first lab ends in {time}',
  'board.stop.all': 'Stop all',
  'board.undo': 'Undo',
  'board.said.copied': 'The join address is copied.',
  'board.said.extended': {
    one: '{count} lab has {minutes} minutes more.',
    other: '{count} labs have {minutes} minutes more.',
  },
  'board.said.stopping': { one: 'Stopping {count} lab', other: 'Stopping {count} labs' },
  'board.said.sent': { one: 'Sent to {count} student.', other: 'Sent to {count} students.' },
} satisfies Record<string, Message>
