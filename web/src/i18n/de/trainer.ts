import type en from '../en/trainer'
import type { Said } from '../index'

export default {
  'board.class': 'Kursseite',
  'board.title': 'Kursübersicht',
  'board.live': 'Live',
  'board.since': 'seit {time}',
  'board.opens': 'Öffnet {when}',
  'board.closed': 'Geschlossen {when}',
  'board.more': 'Mehr',
  'board.show': 'Kurscode zeigen',
  'board.show.code': 'Kurscode {code}: groß zeigen',
  'board.copy_link': 'Adresse zum Teilnehmen kopieren',
  'board.csv': 'Als Tabelle sichern (CSV)',
  'board.setup': 'Einstellungen und Teilnehmerliste',
  'board.stale': {
    one: 'Der Dienst antwortet nicht. Stand von vor {count} Sekunde.',
    other: 'Der Dienst antwortet nicht. Stand von vor {count} Sekunden.',
  },
  'board.broadcast': 'An alle',
  'board.extend.all': 'Alle verlängern',
  'board.extend.first': 'Das erste Lab endet in {time}',
  'board.stop.all': 'Alle beenden',
  'board.undo': 'Zurücknehmen',
  'board.said.copied': 'Die Adresse zum Teilnehmen ist kopiert.',
  'board.said.extended': {
    one: '{count} Lab hat {minutes} Minuten mehr.',
    other: '{count} Labs haben {minutes} Minuten mehr.',
  },
  'board.said.stopping': {
    one: '{count} Lab wird beendet',
    other: '{count} Labs werden beendet',
  },
  'board.said.sent': { one: 'An {count} Person gesendet.', other: 'An {count} Personen gesendet.' },
} satisfies Said<typeof en>
