import type en from '../en/trainer'
import type { Said } from '../index'

export default {
  'board.link': 'Übersicht',
  'board.class': 'Kursseite',
  'board.title': 'Kursübersicht',
  'board.lead': 'Wer da ist und wie es um die Labs steht. Alle paar Sekunden neu.',
  'board.figures': 'Zahlen',
  'board.students': 'Teilnehmende',
  'board.nobody': 'Noch niemand ist da. Teile den Code.',
  'board.code': 'Kurscode',
  'board.copy_link': 'Adresse zum Teilnehmen kopieren',
  'board.joined': 'Da',
  'board.running': 'Aktiv',
  'board.starting': 'Startet',
  'board.failed': 'Gescheitert',
  'board.is.failed': 'Nicht gestartet',
  'board.is.starting': 'Startet',
  'board.is.ready': 'Arbeitet',
  'board.is.stopping': 'Wird gelöscht',
  'board.is.gone': 'Beendet',
  'board.is.away': 'Noch nicht gestartet',
  'board.extend': '{count} Minuten mehr für {name}',
  'board.stop': 'Lab von {name} beenden',
} satisfies Said<typeof en>
